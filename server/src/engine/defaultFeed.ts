import { UserError } from '../../../protocol/errors';
import type { Dimension, ValueInfo } from '../../../protocol/model';
import { elementCount, type Tensor } from '../onnx/tensor';
import { constantArray } from './castArray';
import { isFetchable } from './runtime';

/** Sizes that symbolic names have taken. */
export type Sizes = Map<string, number>;

/** Rows and columns of a picture-shaped input that leaves them open: divisible by the usual strides. */
const OPEN_PIXELS = 224;
/** More elements than this are not made up. */
const MOST_ELEMENTS = 2 ** 27;

/**
 * What is fed to an input that nobody chose, with the sentence that says so. Values: ones for lengths and for integer masks (where 1 means
 * "look here"), zeros for all else: states, padding masks, tokens, pictures. Open sizes: what the same name has elsewhere, else 0 for a
 * past, 224 for rows and columns of pictures, else 1; the sizes that names get are noted in `sizes`. Throws `unsupported` for inputs that
 * are no tensors or of types that cannot be fed, `tooLarge`.
 */
export function defaultFeed(
  input: ValueInfo,
  sizes: Sizes,
  modelName: string,
): { readonly tensor: Tensor; readonly warning: string } {
  const { name, dtype } = input;
  if (input.container !== undefined || !isFetchable(dtype)) {
    const what = input.container ?? dtype;
    throw new UserError(
      'unsupported',
      `The input "${name}" of ${modelName} is of type ${what}, which cannot be fed here.`,
    );
  }
  const shape = (input.shape ?? []).map((size, axis) => sizeOf(size, axis, input, sizes));
  if (elementCount(shape) > MOST_ELEMENTS) {
    throw new UserError(
      'tooLarge',
      `The input "${name}" of ${modelName} needs a tensor of shape [${shape.join(', ')}]; choose a smaller one.`,
    );
  }
  const value = defaultValue(input);
  const what = dtype === 'string' ? 'empty strings' : value === 0 ? 'zeros' : 'ones';
  return {
    tensor: constantArray(dtype, shape, value),
    warning: `The input "${name}" was not chosen: ${what} of shape [${shape.join(', ')}] were fed.`,
  };
}

function sizeOf(size: Dimension, axis: number, input: ValueInfo, sizes: Sizes): number {
  if (typeof size === 'number') return size;
  const known = size === null ? undefined : sizes.get(size);
  if (known !== undefined) return known;
  const chosen = openSize(size ?? '', axis, input.shape ?? []);
  if (size !== null) sizes.set(size, chosen);
  return chosen;
}

function openSize(name: string, axis: number, shape: readonly Dimension[]): number {
  if (/past/i.test(name)) return 0;
  if (shape.length !== 4 || axis === 0) return 1;
  const isChannels = (size: Dimension | undefined): boolean =>
    size === 1 || size === 3 || size === 4;
  const channelsLast = !isChannels(shape[1]) && isChannels(shape[3]);
  const spatial = channelsLast ? axis === 1 || axis === 2 : axis >= 2;
  return spatial && (channelsLast || isChannels(shape[1])) ? OPEN_PIXELS : 1;
}

function defaultValue({ name, dtype }: ValueInfo): 0 | 1 {
  if (dtype === 'string') return 0;
  if (/len(gth)?s?$|^len/i.test(name)) return 1;
  return /mask/i.test(name) && /^u?int/.test(dtype) ? 1 : 0;
}
