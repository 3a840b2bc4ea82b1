import type { AttributionOptions, BaselineSpec } from '../../../protocol/attribution';
import { UserError } from '../../../protocol/errors';
import type { OptionSpec } from './command';
import type { ParsedArguments } from './parseArguments';
import { existing } from './targetOption';

/** Options of single methods; each names the methods that read it. */
export const ATTRIBUTION_OPTIONS: readonly OptionSpec[] = [
  { name: 'steps', value: 'N', help: 'integrated-gradients: points on the path (50).' },
  {
    name: 'baseline',
    value: 'zero|mean|blur|FILE',
    help: 'integrated-gradients, occlusion: what "nothing there" is (zero).',
  },
  {
    name: 'rule',
    value: 'RULE',
    help: 'integrated-gradients: trapezoid, left, right, middle or gauss-legendre (the default).',
  },
  { name: 'samples', value: 'N', help: 'smooth-grad: noisy copies (25).' },
  { name: 'sigma', value: 'S', help: "smooth-grad: noise as a share of the input's range (0.15)." },
  { name: 'seed', value: 'N', help: 'smooth-grad, rise: start of the random numbers (0).' },
  {
    name: 'noise',
    value: 'FILE.npy',
    help: 'smooth-grad: [samples, …input shape], already scaled.',
  },
  {
    name: 'reduce',
    value: 'HOW',
    help: 'smooth-grad: mean (the default), mean-abs, square or variance.',
  },
  {
    name: 'channels-used',
    value: 'N|all',
    help: 'score-cam, ablation-cam: channels with the largest mean square (64).',
  },
  { name: 'window', value: 'PIXELS', help: 'occlusion: side of the window.' },
  { name: 'stride', value: 'PIXELS', help: 'occlusion: step of the window.' },
  { name: 'masks', value: 'N', help: 'rise: number of masks (1000).' },
  { name: 'cell', value: 'N', help: 'rise: cells along a side (7).' },
  { name: 'keep', value: 'SHARE', help: 'rise: share of cells that stay visible (0.5).' },
  {
    name: 'convention',
    value: 'captum|pytorch-grad-cam',
    help: 'Whose definition is followed where the two differ.',
  },
];

const RULES = ['trapezoid', 'left', 'right', 'middle', 'gauss-legendre'] as const;
const REDUCTIONS = ['mean', 'mean-abs', 'square', 'variance'] as const;
const CONVENTIONS = ['captum', 'pytorch-grad-cam'] as const;
const BASELINES = ['zero', 'mean', 'blur'] as const;

/** The options that were given. @throws UserError `usage` for values that are none. */
export function attributionOptions(given: ParsedArguments): AttributionOptions {
  const count = (name: string): number | undefined => numberOf(given, name, Number.isInteger, 1);
  const channels = given.one('channels-used');
  return defined({
    steps: count('steps'),
    rule: oneOf(given, 'rule', RULES),
    baseline: baselineOf(given.one('baseline')),
    samples: count('samples'),
    sigma: numberOf(given, 'sigma', Number.isFinite, 0),
    noise: fileOf(given.one('noise')),
    reduce: oneOf(given, 'reduce', REDUCTIONS),
    seed: numberOf(given, 'seed', Number.isInteger, 0),
    channelsUsed: channels === 'all' ? channels : count('channels-used'),
    window: count('window'),
    stride: count('stride'),
    masks: count('masks'),
    cell: count('cell'),
    keep: numberOf(given, 'keep', value => value > 0 && value < 1, 0),
    convention: oneOf(given, 'convention', CONVENTIONS),
  });
}

type Given<T> = { readonly [K in keyof T]: T[K] | undefined };

/** Without what was left out. */
function defined(options: Given<Required<AttributionOptions>>): AttributionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** An option's number. @throws UserError `usage` for what is none it can take. */
export function numberOf(
  given: ParsedArguments,
  name: string,
  fits: (value: number) => boolean,
  least: number,
): number | undefined {
  const text = given.one(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && fits(value) && value >= least) return value;
  throw new UserError('usage', `--${name} ${text} is not a number it can take; --help says which.`);
}

/** An option's word. @throws UserError `usage` for what is none of them. */
export function oneOf<T extends string>(
  given: ParsedArguments,
  name: string,
  values: readonly T[],
): T | undefined {
  const text = given.one(name);
  if (text === undefined) return undefined;
  const found = values.find(value => value === text);
  if (found) return found;
  throw new UserError('usage', `--${name} ${text} is none of ${values.join(', ')}.`);
}

function baselineOf(text: string | undefined): BaselineSpec | undefined {
  if (text === undefined) return undefined;
  const kind = BASELINES.find(name => name === text);
  return kind ? { kind } : { kind: 'file', path: existing(text) };
}

const fileOf = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : existing(text);
