import type { AttributionMethod, AttributionOptions } from '../../../protocol/attribution';

/** The options that a person can set, as the fields of a small form. */

type OptionKey = keyof AttributionOptions;

interface FieldFacts {
  readonly key: OptionKey;
  readonly label: string;
  readonly title: string;
}

/** A number within limits; `all` stands beside it where a method can take everything. */
export interface NumberField extends FieldFacts {
  readonly kind: 'number';
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** What an empty field stands for. */
  readonly usual: string;
}

/** One of several words; the first is the method's default. */
export interface ChoiceField extends FieldFacts {
  readonly kind: 'choice';
  readonly choices: readonly { readonly value: string; readonly label: string }[];
}

export type OptionField = NumberField | ChoiceField;

const number = (
  key: OptionKey,
  label: string,
  title: string,
  [least, most]: readonly [number, number],
  usual: string,
  step = 1,
): NumberField => ({ kind: 'number', key, label, title, least, most, step, usual });

const choice = (
  key: OptionKey,
  label: string,
  title: string,
  values: readonly (readonly [value: string, label: string])[],
): ChoiceField => ({
  kind: 'choice',
  key,
  label,
  title,
  choices: values.map(([value, text]) => ({ value, label: text })),
});

const BASELINE = choice('baseline', 'Baseline', 'What stands for “nothing there”', [
  ['zero', 'zero'],
  ['mean', 'mean of the picture'],
  ['blur', 'blurred picture'],
  ['file', 'a picture…'],
]);
const SEED = number('seed', 'Seed', 'Of the random numbers', [0, 2 ** 31 - 1], '0');
const CHANNELS = [
  choice('channelsUsed', 'Channels', 'The strongest ones; one run for each', [
    ['64', '64 strongest'],
    ['16', '16 strongest'],
    ['256', '256 strongest'],
    ['all', 'all'],
  ]),
] as const;

const FIELDS: { readonly [M in AttributionMethod]?: readonly OptionField[] } = {
  'score-cam': CHANNELS,
  'ablation-cam': CHANNELS,
  'integrated-gradients': [
    number('steps', 'Steps', 'Points on the way from the baseline to the picture', [2, 1000], '50'),
    choice('rule', 'Rule', 'Where the points lie and how they are weighted', [
      ['gauss-legendre', 'Gauss-Legendre'],
      ['trapezoid', 'trapezoid'],
      ['middle', 'middle'],
      ['left', 'left'],
      ['right', 'right'],
    ]),
    BASELINE,
  ],
  'smooth-grad': [
    number('samples', 'Samples', 'Noisy copies of the picture', [1, 1000], '25'),
    number('sigma', 'Sigma', 'Noise as a share of the fed range', [0, 2], '0.15', 0.01),
    choice('reduce', 'Reduce', 'How the gradients of the copies are put together', [
      ['mean', 'mean'],
      ['mean-abs', 'mean magnitude'],
      ['square', 'mean square'],
      ['variance', 'variance'],
    ]),
    SEED,
  ],
  occlusion: [
    number('window', 'Window', 'Side of the covered square in fed pixels', [1, 4096], 'auto'),
    number('stride', 'Stride', 'Step of the window in fed pixels', [1, 4096], 'auto'),
    BASELINE,
  ],
  rise: [
    number('masks', 'Masks', 'Random masks; one run for each', [1, 100_000], '1000'),
    number('cell', 'Cells', 'Cells of a mask along the shorter side', [2, 64], '7'),
    number('keep', 'Keep', 'Share of the cells that stays visible', [0.05, 0.95], '0.5', 0.05),
    SEED,
  ],
};

/** The fields of a method's form; none where there is nothing to set. */
export const optionFields = (method: AttributionMethod): readonly OptionField[] =>
  FIELDS[method] ?? [];

/** Whether an option means something to this method. */
export const keepsOption = (method: AttributionMethod, key: string): boolean =>
  optionFields(method).some(field => field.key === key);

/** What a field shows: the value that was set, as text; empty where the method's default holds. */
export function optionText(options: AttributionOptions, key: OptionKey): string {
  const value = options[key];
  if (value === undefined) return '';
  return typeof value === 'object' ? value.kind : String(value);
}

/** The number that a field holds, brought within its limits; null where it is empty: then the method's default holds. */
export function numberOf(field: NumberField, text: string): number | null {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) return null;
  const bounded = Math.min(Math.max(value, field.least), field.most);
  return field.step === 1 ? Math.round(bounded) : bounded;
}

/** The options with one of them set, or back to its default (null). */
export function withOption(
  options: AttributionOptions,
  key: OptionKey,
  value: AttributionOptions[OptionKey] | null,
): AttributionOptions {
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => name !== key));
  return value === null ? rest : { ...rest, [key]: value };
}
