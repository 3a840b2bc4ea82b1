import type {
  AttributionTargetsResult,
  PredictedClass,
  ResolvedTarget,
  TargetSpec,
} from '../../../protocol/attribution';
import { formatCount } from './format';
import type { PickerItem } from './pickerModel';

/** What can be explained, in words, and as the lines of a menu. */

/** What is known of a model's targets on the present input. */
export interface KnownTargets {
  readonly labels: readonly string[] | null;
  readonly predicted: readonly PredictedClass[] | null;
  readonly targets: AttributionTargetsResult | null;
}

/** Name of a class where labels are known, else its number. */
export const classLabel = (labels: readonly string[] | null, index: number): string =>
  labels?.[index] ?? `class ${index}`;

const quoted = (labels: readonly string[] | null, index: number): string =>
  `“${classLabel(labels, index)}”`;

/** What a map is a map of: `“Samoyed”`, `“cat” rather than “dog”`, `channel 3 of layer4`. */
export function explainedWords(target: ResolvedTarget, labels: readonly string[] | null): string {
  const { spec, classIndex, words } = target;
  if (spec.kind === 'difference')
    return `${quoted(labels, spec.index)} rather than ${quoted(labels, spec.minus)}`;
  if (spec.kind === 'mask') return maskWords(spec, labels);
  if (spec.kind === 'box') {
    const what = classIndex === null ? '' : `, ${quoted(labels, classIndex)}`;
    return `detection ${spec.index + 1}${what}`;
  }
  return classIndex === null ? words : quoted(labels, classIndex);
}

/** What is chosen to be explained, before there is a map of it. */
export function targetWords(target: TargetSpec, known: KnownTargets): string {
  const { labels, targets } = known;
  switch (target.kind) {
    case 'top': {
      const { label, now } = topOf(known);
      return now === '' ? label : `${label}: ${now}`;
    }
    case 'class':
    case 'difference':
      return classLabel(labels, target.index);
    case 'box': {
      const found = targets?.detections[target.index];
      const what = found ? `: ${classLabel(labels, found.classIndex)}` : '';
      return `Detection ${target.index + 1}${what}`;
    }
    case 'mask':
      return maskWords(target, labels);
    case 'channel':
      return channelWords(target);
    case 'element':
      return `${target.tensor}[${target.index.join(', ')}]`;
    case 'weighted':
      return `Weighted sum of ${target.tensor}`;
    case 'sum':
      return 'Sum of the output';
  }
}

/** What `top` stands for in this model, and what that is now; empty where it is not known. */
function topOf({ labels, predicted, targets }: KnownTargets): {
  readonly label: string;
  readonly now: string;
} {
  const [first] = predicted ?? targets?.predicted ?? [];
  if (first) return { label: 'Highest', now: classLabel(labels, first.index) };
  const [best] = targets?.detections ?? [];
  if (best) return { label: 'Best detection', now: classLabel(labels, best.classIndex) };
  const hasScores = !targets || targets.kind === 'classes' || targets.kind === 'detections';
  return { label: hasScores ? 'Highest' : 'Sum of the output', now: '' };
}

function maskWords(
  spec: TargetSpec & { readonly kind: 'mask' },
  labels: readonly string[] | null,
): string {
  const where = spec.region
    ? 'in the marked region'
    : spec.mask === undefined
      ? 'where it is the highest'
      : 'inside the mask';
  return `${quoted(labels, spec.class)} ${where}`;
}

const channelWords = (spec: TargetSpec & { readonly kind: 'channel' }): string =>
  spec.row === undefined || spec.column === undefined
    ? `Channel ${spec.channel}`
    : `Channel ${spec.channel} at (${spec.row},${spec.column})`;

/** A box or a marked region is one of one picture; on another the highest class, or the same class wherever it is, is the nearest. */
export function targetOnOtherInput(target: TargetSpec): TargetSpec {
  if (target.kind === 'box') return { kind: 'top' };
  return target.kind === 'mask' ? { kind: 'mask', class: target.class } : target;
}

/** A target as the value of a menu's line. */
export const targetValue = (target: TargetSpec): string => JSON.stringify(target);

/** The inverse of targetValue, for values that a menu of targetItems gave. */
export const targetOfValue = (items: readonly TargetItem[], value: string): TargetSpec | null =>
  items.find(item => item.value === value)?.target ?? null;

export interface TargetItem extends PickerItem {
  readonly target: TargetSpec;
}

const item = (target: TargetSpec, label: string, detail: string, group: string): TargetItem => ({
  target,
  value: targetValue(target),
  label,
  detail,
  group,
});

/** Lines of the target menu: the highest class, the five likeliest, boxes and areas of the picture, all classes, the sum. */
export function targetItems(known: KnownTargets): readonly TargetItem[] {
  const { labels, predicted, targets } = known;
  const five = predicted ?? targets?.predicted ?? [];
  const classes = targets?.classCount ?? (labels && five.length > 0 ? labels.length : 0);
  const top = topOf(known);
  return [
    item({ kind: 'top' }, top.label, top.now === '' ? '' : `now ${top.now}`, ''),
    ...five.map(({ index, probability }) =>
      item(
        { kind: 'class', index },
        classLabel(labels, index),
        probability.toFixed(2),
        'Likeliest',
      ),
    ),
    ...(targets?.detections ?? []).map(({ classIndex, score }, index) =>
      item(
        { kind: 'box', index },
        `${index + 1}: ${classLabel(labels, classIndex)}`,
        score.toFixed(2),
        'Detections',
      ),
    ),
    ...(targets?.segments ?? []).map(({ classIndex, share }) =>
      item(
        { kind: 'mask', class: classIndex },
        classLabel(labels, classIndex),
        `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} % of the picture`,
        'Areas',
      ),
    ),
    ...classItems(labels, classes),
    item({ kind: 'sum' }, 'Sum of the output', 'of the first float output', 'Other'),
  ];
}

/** A line for each class, by index. */
export const classItems = (
  labels: readonly string[] | null,
  count: number,
): readonly TargetItem[] =>
  Array.from({ length: count }, (_, index) =>
    item(
      { kind: 'class', index },
      classLabel(labels, index),
      labels?.[index] === undefined ? '' : String(index),
      `All ${formatCount(count)} classes`,
    ),
  );
