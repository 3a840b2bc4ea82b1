import { UserError } from '../../../protocol/errors';
import type { PreprocessingOverrides } from '../../../protocol/preprocessing';
import type { OptionSpec } from './command';
import type { ParsedArguments } from './parseArguments';

const LAYOUTS = ['NCHW', 'NHWC', 'CHW', 'HWC', 'NHW', 'HW'] as const;
const CHANNELS = ['RGB', 'BGR', 'GRAY', 'RGBA'] as const;
const RESIZES = ['stretch', 'crop', 'letterbox'] as const;
const INTERPOLATIONS = ['bilinear', 'bicubic', 'nearest'] as const;
/** Pixels of one side. */
const LARGEST_SIDE = 16384;

/** Options that override what was detected: x = (pixel · scale − mean) / std. */
export const PREPROCESSING_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'mean',
    value: 'M,…',
    help: 'Mean of each fed channel, or one for all (x = (pixel · scale − mean) / std).',
  },
  { name: 'std', value: 'S,…', help: 'Standard deviation of each fed channel, or one for all.' },
  {
    name: 'scale',
    value: 'X',
    help: 'Factor of the pixels 0…255; fractions such as 1/255 are understood.',
  },
  { name: 'layout', value: LAYOUTS.join('|'), help: 'Order of the axes.' },
  { name: 'channels', value: CHANNELS.join('|'), help: 'Order of the channels.' },
  { name: 'size', value: 'WIDTHxHEIGHT', help: 'Pixels that are fed; one number for a square.' },
  { name: 'resize', value: RESIZES.join('|'), help: 'How the picture comes to that size.' },
  { name: 'interpolation', value: INTERPOLATIONS.join('|'), help: 'Filter of the resize.' },
];

/** Reads the overrides. @throws UserError `usage` naming the option. */
export function preprocessingOverrides(given: ParsedArguments): PreprocessingOverrides {
  const mean = given.one('mean');
  const std = given.one('std');
  const scale = given.one('scale');
  const size = given.one('size');
  const layout = choice(given, 'layout', LAYOUTS);
  const channels = choice(given, 'channels', CHANNELS);
  const resize = choice(given, 'resize', RESIZES);
  const interpolation = choice(given, 'interpolation', INTERPOLATIONS);
  return {
    ...(mean === undefined ? {} : { mean: numbers('mean', mean) }),
    ...(std === undefined ? {} : { std: numbers('std', std).map(notZero) }),
    ...(scale === undefined ? {} : { scale: number('scale', scale) }),
    ...(size === undefined ? {} : sides(size)),
    ...(layout ? { layout } : {}),
    ...(channels ? { channels } : {}),
    ...(resize ? { resize } : {}),
    ...(interpolation ? { interpolation } : {}),
  };
}

function choice<T extends string>(
  given: ParsedArguments,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const value = given.one(name);
  if (value === undefined) return undefined;
  const found = allowed.find(each => each.toLowerCase() === value.toLowerCase());
  if (!found) throw new UserError('usage', `--${name} ${value} is none of ${allowed.join(', ')}.`);
  return found;
}

const numbers = (name: string, text: string): number[] =>
  text.split(',').map(part => number(name, part));

/** A decimal number or a fraction of two. */
function number(name: string, text: string): number {
  const parts = text.trim().split('/');
  const [top = NaN, bottom = 1] = parts.map(part => (part.trim() === '' ? NaN : Number(part)));
  const value = top / bottom;
  if (!Number.isFinite(value) || parts.length > 2)
    throw new UserError('usage', `--${name} ${text} is not a number.`);
  return value;
}

function notZero(value: number): number {
  if (value === 0) throw new UserError('usage', '--std 0 would divide by zero.');
  return value;
}

function sides(text: string): { width: number; height: number } {
  const match = /^(\d+)(?:[x×,](\d+))?$/i.exec(text.trim());
  const width = Number(match?.[1]);
  const height = Number(match?.[2] ?? match?.[1]);
  const fits = (side: number): boolean =>
    Number.isInteger(side) && side >= 1 && side <= LARGEST_SIDE;
  if (!fits(width) || !fits(height))
    throw new UserError(
      'usage',
      `--size ${text} is not WIDTHxHEIGHT in pixels (1 to ${LARGEST_SIDE}).`,
    );
  return { width, height };
}
