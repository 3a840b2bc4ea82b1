import type { FractionBox } from '../../../../../protocol/attribution';

/** An output of a model whose sizes are known. */
export interface Output {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Pixels that are fed. */
export interface FedSize {
  readonly width: number;
  readonly height: number;
}

/** A detection before overlapping ones are removed. */
export interface Candidate {
  readonly box: FractionBox;
  readonly classIndex: number;
  /** Probability. */
  readonly score: number;
  /** The output element that the score comes from. */
  readonly tensor: string;
  readonly element: number;
}

/** A form in which detectors give what they found, in the first image. */
export interface DetectionForm {
  /** How to read outputs of these names and shapes; null where they are surely or possibly something else. */
  recognise(outputs: readonly Output[], fed: FedSize): DetectionReader | null;
}

export interface DetectionReader {
  readonly tensors: readonly string[];
  /** Candidates of a score above the threshold; null where the values say that it is another form after all. */
  read(values: (tensor: string) => Float64Array, threshold: number): readonly Candidate[] | null;
}

/** A box around a centre; all in pixels. */
export function centredBox(
  x: number,
  y: number,
  width: number,
  height: number,
  fed: FedSize,
): FractionBox {
  return {
    left: (x - width / 2) / fed.width,
    top: (y - height / 2) / fed.height,
    right: (x + width / 2) / fed.width,
    bottom: (y + height / 2) / fed.height,
  };
}

/** Index and value of the largest of `count` values, the first among equals. */
export function largest(
  count: number,
  at: (index: number) => number,
): { readonly index: number; readonly value: number } {
  let index = 0;
  for (let i = 1; i < count; i++) if (at(i) > at(index)) index = i;
  return { index, value: at(index) };
}

export const isProbability = (value: number): boolean => value >= 0 && value <= 1;

/** Places of grids with these strides over the fed picture, all together; 0 where a side is no multiple of a stride. */
export function placesOf({ width, height }: FedSize, strides: readonly number[]): number {
  if (strides.some(stride => width % stride !== 0 || height % stride !== 0)) return 0;
  return strides.reduce((sum, stride) => sum + (width / stride) * (height / stride), 0);
}
