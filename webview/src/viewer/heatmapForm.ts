import type { AttributionOptions, BaselineSpec } from '../../../protocol/attribution';
import type { HeatmapPane } from '../../../protocol/views';
import { element } from '../lib/dom';
import { baseName } from '../lib/format';
import {
  numberOf,
  optionFields,
  optionText,
  withOption,
  type ChoiceField,
  type NumberField,
} from './heatmapOptions';

/** The form of the options that a method has; an empty field takes the method's default, which stands in it as a hint. */
export class OptionsForm {
  readonly root = element('div', {
    class: 'fields options-form',
    attributes: { role: 'group', 'aria-label': 'Options of the method' },
  });
  private shown = '';

  /** @param chooseFile asks for the picture of a baseline; null where the person changed their mind */
  constructor(
    private readonly onChange: (options: AttributionOptions) => void,
    private readonly chooseFile: () => Promise<string | null>,
  ) {}

  /** @param used what the last result used, defaults included */
  update(pane: HeatmapPane, used: Readonly<Record<string, string | number>>): void {
    const key = JSON.stringify([pane.id, pane.method, pane.options, used]);
    if (key === this.shown || this.root.contains(document.activeElement)) return;
    this.shown = key;
    this.root.replaceChildren(
      ...optionFields(pane.method).map(field =>
        element(
          'label',
          { class: 'field', title: field.title },
          element('span', { text: field.label }),
          field.kind === 'number' ? this.number(field, pane, used) : this.choice(field, pane),
        ),
      ),
    );
  }

  private number(
    field: NumberField,
    { options }: HeatmapPane,
    used: Readonly<Record<string, string | number>>,
  ): HTMLInputElement {
    const made = element('input', {
      class: 'number',
      attributes: {
        type: 'number',
        min: String(field.least),
        max: String(field.most),
        step: String(field.step),
        placeholder: String(used[field.key] ?? field.usual),
      },
    });
    made.value = optionText(options, field.key);
    made.addEventListener('change', () => {
      const value = numberOf(field, made.value);
      made.value = value === null ? '' : String(value);
      this.changed(withOption(options, field.key, value));
    });
    return made;
  }

  private choice(field: ChoiceField, { options }: HeatmapPane): HTMLSelectElement {
    const value = optionText(options, field.key) || (field.choices[0]?.value ?? '');
    const made = element(
      'select',
      { class: 'plain-select' },
      ...field.choices.map(choice =>
        element('option', { text: choice.label, attributes: { value: choice.value } }),
      ),
    );
    made.value = value;
    const { baseline } = options;
    if (baseline?.kind === 'file') made.title = baseName(baseline.path);
    made.addEventListener('change', () => void this.choose(field, options, made));
    return made;
  }

  private async choose(
    { key, choices }: ChoiceField,
    options: AttributionOptions,
    made: HTMLSelectElement,
  ): Promise<void> {
    const { value } = made;
    if (value === choices[0]?.value) return this.changed(withOption(options, key, null));
    if (key !== 'baseline') return this.changed(withChoice(options, key, value));
    const baseline = await this.baseline(value);
    if (baseline) this.changed({ ...options, baseline });
    else made.value = optionText(options, key) || (choices[0]?.value ?? '');
  }

  private async baseline(value: string): Promise<BaselineSpec | null> {
    if (value === 'mean' || value === 'blur') return { kind: value };
    const path = await this.chooseFile();
    return path === null ? null : { kind: 'file', path };
  }

  private changed(options: AttributionOptions): void {
    this.shown = '';
    this.onChange(options);
  }
}

/** The options with a word set: rules, reductions, numbers of channels. */
function withChoice(
  options: AttributionOptions,
  key: ChoiceField['key'],
  value: string,
): AttributionOptions {
  if (key === 'rule' && isRule(value)) return { ...options, rule: value };
  if (key === 'reduce' && isReduction(value)) return { ...options, reduce: value };
  if (key === 'channelsUsed')
    return { ...options, channelsUsed: value === 'all' ? value : Number(value) };
  return options;
}

const isRule = (value: string): value is NonNullable<AttributionOptions['rule']> =>
  ['trapezoid', 'left', 'right', 'middle', 'gauss-legendre'].includes(value);
const isReduction = (value: string): value is NonNullable<AttributionOptions['reduce']> =>
  ['mean', 'mean-abs', 'square', 'variance'].includes(value);
