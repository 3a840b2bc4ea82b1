import type { FractionBox, TargetSpec } from '../../../protocol/attribution';
import { button, checkbox } from '../lib/controls';
import { element } from '../lib/dom';
import { createPicker, type Picker } from '../lib/picker';
import {
  classItems,
  classLabel,
  targetItems,
  targetOfValue,
  targetValue,
  targetWords,
  type KnownTargets,
  type TargetItem,
} from '../lib/targetWords';
import {
  channelItem,
  classOf,
  differenceOf,
  menuTarget,
  replaceTarget,
} from './heatmapTargetModel';

export interface TargetToolsState {
  readonly target: TargetSpec;
  readonly known: KnownTargets;
  /** First output of the viewer's layer and its label; null where it has none. */
  readonly layer: { readonly tensor: string; readonly label: string } | null;
  /** A place of the layer that a channel's target can be narrowed to. */
  readonly marked: { readonly row: number; readonly column: number } | null;
}

const NOTHING = 'nothing';

/** Target, "rather than", and number, place or region where the target has one. */
export class TargetTools {
  readonly root: HTMLElement;
  private readonly target: Picker;
  private readonly minus: Picker;
  private readonly channel: HTMLInputElement;
  private readonly atPlace = checkbox('At the marked place', checked => this.narrow(checked));
  private readonly region: HTMLElement;
  private readonly sides: Readonly<Record<keyof FractionBox, HTMLInputElement>>;
  private state: TargetToolsState | null = null;
  private items: readonly TargetItem[] = [];

  constructor(private readonly onChange: (target: TargetSpec) => void) {
    this.target = createPicker({
      label: 'Target',
      search: 'Name or number of a class…',
      onChoose: value => {
        const next = targetOfValue(this.items, value);
        if (next && this.state) this.onChange(replaceTarget(this.state.target, next));
      },
    });
    this.minus = createPicker({
      label: 'Rather than',
      search: 'Name or number of a class…',
      onChoose: value => this.setAgainst(value),
    });
    this.minus.setTitle(
      'Why this and not that: what the score of one class has and the other has not',
    );
    this.channel = plainNumber('Channel', 0, 1e6, () => this.setChannel());
    this.sides = {
      left: plainNumber('Left, % of the width', 0, 100, () => this.setRegion()),
      top: plainNumber('Top, % of the height', 0, 100, () => this.setRegion()),
      right: plainNumber('Right, % of the width', 0, 100, () => this.setRegion()),
      bottom: plainNumber('Bottom, % of the height', 0, 100, () => this.setRegion()),
    };
    this.region = element(
      'div',
      { class: 'fields region', title: 'Or drag on the picture' },
      element('span', { class: 'muted', text: 'Region, %' }),
      ...Object.values(this.sides),
      button({ label: 'Everywhere', onClick: () => this.forgetRegion() }),
    );
    this.root = element(
      'div',
      { class: 'target-tools' },
      this.target.root,
      this.minus.root,
      this.channel,
      this.atPlace,
      this.region,
    );
  }

  update(state: TargetToolsState): void {
    this.state = state;
    const { target, known, layer, marked } = state;
    const first = known.predicted ?? known.targets?.predicted ?? null;
    const items = (): readonly TargetItem[] => {
      this.items = [
        ...targetItems(known),
        ...(layer ? [channelItem(layer.tensor, layer.label)] : []),
      ];
      return this.items;
    };
    this.target.set(targetWords(target, known), items, [targetValue(menuTarget(target))]);
    const against = target.kind === 'difference' ? target.minus : null;
    this.minus.root.hidden = classOf(target, first) === null;
    this.minus.set(
      against === null ? NOTHING : classLabel(known.labels, against),
      () => this.againstItems(),
      [against === null ? NOTHING : targetValue({ kind: 'class', index: against })],
    );
    const channel = target.kind === 'channel' ? target : null;
    this.channel.hidden = !channel;
    if (channel && document.activeElement !== this.channel)
      this.channel.value = String(channel.channel);
    this.atPlace.hidden = !channel || (!marked && channel.row === undefined);
    this.atPlace.checked = channel?.row !== undefined;
    this.region.hidden = target.kind !== 'mask';
    if (target.kind === 'mask') this.showRegion(target.region ?? null);
  }

  private againstItems(): readonly TargetItem[] {
    const { labels, targets, predicted } = this.state?.known ?? NOTHING_KNOWN;
    const five = predicted ?? targets?.predicted ?? [];
    const none = { label: NOTHING, value: NOTHING, group: '', target: { kind: 'top' } } as const;
    return [
      none,
      ...targetItems({ labels, predicted: five, targets: null }).filter(
        line => line.group === 'Likeliest',
      ),
      ...classItems(labels, targets?.classCount ?? labels?.length ?? 0),
    ];
  }

  private setAgainst(value: string): void {
    if (!this.state) return;
    const { target, known } = this.state;
    const against = value === NOTHING ? null : targetOfValue(this.againstItems(), value);
    const minus = against?.kind === 'class' ? against.index : null;
    this.onChange(differenceOf(target, minus, known.predicted ?? known.targets?.predicted ?? null));
  }

  private setChannel(): void {
    const { target } = this.state ?? {};
    if (target?.kind !== 'channel') return;
    this.onChange({ ...target, channel: Math.max(0, Math.round(this.channel.valueAsNumber || 0)) });
  }

  private narrow(checked: boolean): void {
    const { target, marked } = this.state ?? {};
    if (target?.kind !== 'channel') return;
    const { kind, tensor, channel } = target;
    this.onChange({ kind, tensor, channel, ...(checked && marked ? marked : {}) });
  }

  private showRegion(region: FractionBox | null): void {
    const shown = region ?? { left: 0, top: 0, right: 1, bottom: 1 };
    for (const side of SIDES) {
      const field = this.sides[side];
      if (document.activeElement !== field) field.value = String(Math.round(100 * shown[side]));
    }
  }

  private setRegion(): void {
    const { target } = this.state ?? {};
    if (target?.kind !== 'mask') return;
    const at = (side: keyof FractionBox): number =>
      Math.min(Math.max((this.sides[side].valueAsNumber || 0) / 100, 0), 1);
    const region = { left: at('left'), top: at('top'), right: at('right'), bottom: at('bottom') };
    if (region.left < region.right && region.top < region.bottom)
      this.onChange({ ...target, region });
  }

  private forgetRegion(): void {
    const { target } = this.state ?? {};
    if (target?.kind === 'mask') this.onChange({ kind: 'mask', class: target.class });
  }
}

const SIDES = ['left', 'top', 'right', 'bottom'] as const;
const NOTHING_KNOWN: KnownTargets = { labels: null, predicted: null, targets: null };

function plainNumber(
  label: string,
  least: number,
  most: number,
  onChange: () => void,
): HTMLInputElement {
  const made = element('input', {
    class: 'number',
    title: label,
    attributes: { type: 'number', min: String(least), max: String(most), 'aria-label': label },
  });
  made.addEventListener('change', onChange);
  return made;
}
