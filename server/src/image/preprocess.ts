import { UserError } from '../../../protocol/errors';
import type { DataType } from '../../../protocol/model';
import type { PictureGeometry, PreprocessingSpec } from '../../../protocol/preprocessing';
import type { Raster } from './raster';
import { halfFromFloat } from '../onnx/numbers';
import type { Tensor } from '../onnx/tensor';
import { fitPixels, MAXIMUM_ELEMENTS } from './fit';
import type { Pixels } from './resample';
import { bfloat16Bits, roundHalfEven } from './rounding';

export interface Preprocessed {
  readonly tensor: Tensor;
  readonly geometry: PictureGeometry;
  readonly notes: readonly string[];
}

/** Storage and conversion of one fed value, by the graph input's element type. */
interface Storage {
  make(length: number): FedData;
  convert(value: number): number;
}
type FedData =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array;

const clampTo =
  (low: number, high: number) =>
  (value: number): number =>
    Math.min(high, Math.max(low, roundHalfEven(value)));
const same = (value: number): number => value;

const STORAGE: Partial<Record<DataType, Storage>> = {
  float32: { make: length => new Float32Array(length), convert: same },
  float64: { make: length => new Float64Array(length), convert: same },
  float16: { make: length => new Uint16Array(length), convert: halfFromFloat },
  bfloat16: { make: length => new Uint16Array(length), convert: bfloat16Bits },
  uint8: { make: length => new Uint8Array(length), convert: clampTo(0, 255) },
  int8: { make: length => new Int8Array(length), convert: clampTo(-128, 127) },
  uint16: { make: length => new Uint16Array(length), convert: clampTo(0, 0xffff) },
  int16: { make: length => new Int16Array(length), convert: clampTo(-0x8000, 0x7fff) },
  int32: { make: length => new Int32Array(length), convert: clampTo(-0x80000000, 0x7fffffff) },
  uint32: { make: length => new Uint32Array(length), convert: clampTo(0, 0xffffffff) },
};

/**
 * The tensor that a picture becomes: x = (pixel · scale − mean) / std per fed channel, computed in float64 and rounded to the input's
 * element type (16-bit floats by way of float32, integers are rounded, ties to even, and clamped). `batch` repeats the picture for graphs with a fixed batch. Shape by
 * layout: NCHW [batch, C, H, W], NHWC [batch, H, W, C], CHW, HWC, NHW [batch, H, W], HW.
 * Throws `outOfRange` for a mean, std or layout that does not fit the channels, `unsupported` for an element type that holds no picture.
 */
export function preprocess(
  raster: Raster,
  spec: PreprocessingSpec,
  dtype: DataType,
  batch = 1,
): Preprocessed {
  const { pixels, geometry, notes } = fitPixels(raster, spec);
  const { width, height, planes } = pixels;
  const shape = tensorShape(spec, planes, width, height, batch);
  const channelsFirst = spec.layout.value === 'NCHW' || spec.layout.value === 'CHW';
  const data = fill(
    pixels,
    channelTables(spec, planes),
    dtype,
    channelsFirst,
    shape.length === 4 || spec.layout.value === 'NHW' ? batch : 1,
    spec,
  );
  return { tensor: { dtype, shape, data }, geometry, notes: [...notes, ...spec.notes] };
}

function tensorShape(
  spec: PreprocessingSpec,
  planes: number,
  width: number,
  height: number,
  batch: number,
): number[] {
  switch (spec.layout.value) {
    case 'NCHW':
      return [batch, planes, height, width];
    case 'NHWC':
      return [batch, height, width, planes];
    case 'CHW':
      return [planes, height, width];
    case 'HWC':
      return [height, width, planes];
    case 'NHW':
    case 'HW':
      if (planes !== 1)
        throw new UserError(
          'outOfRange',
          `Layout ${spec.layout.value} of input ${spec.input} has no channel axis but ${spec.channels.value} was chosen: choose GRAY or another layout.`,
        );
      return spec.layout.value === 'HW' ? [height, width] : [batch, height, width];
  }
}

/** x for each of the 256 pixel values, per channel: float64, [channels][256]. */
function channelTables(spec: PreprocessingSpec, planes: number): Float64Array[] {
  const perChannel = (name: 'mean' | 'std'): readonly number[] => {
    const { value } = spec[name];
    if (value.length === planes && value.every(Number.isFinite)) return value;
    const [only] = value;
    if (value.length === 1 && only !== undefined && Number.isFinite(only))
      return Array<number>(planes).fill(only);
    throw new UserError(
      'outOfRange',
      `The ${name} for input ${spec.input} has ${value.length} values but ${spec.channels.value} is ${planes} channel${planes === 1 ? '' : 's'}: give one finite number for each.`,
    );
  };
  const mean = perChannel('mean');
  const std = perChannel('std');
  if (std.includes(0))
    throw new UserError(
      'outOfRange',
      `The std for input ${spec.input} is 0 for a channel: give numbers other than 0.`,
    );
  return mean.map((m, channel) =>
    Float64Array.from(
      { length: 256 },
      (_, pixel) => (pixel * spec.scale.value - m) / (std[channel] ?? 1),
    ),
  );
}

function fill(
  pixels: Pixels,
  tables: readonly Float64Array[],
  dtype: DataType,
  channelsFirst: boolean,
  batch: number,
  spec: PreprocessingSpec,
): FedData | BigInt64Array {
  const { planes, data } = pixels;
  const count = pixels.width * pixels.height;
  const storage = STORAGE[dtype === 'int64' ? 'int32' : dtype];
  if (!storage)
    throw new UserError(
      'unsupported',
      `Input ${spec.input} takes ${dtype}, which a picture cannot be fed as: give an .npy file.`,
    );
  if (count * planes * batch > MAXIMUM_ELEMENTS)
    throw new UserError(
      'tooLarge',
      `A batch of ${batch} pictures for input ${spec.input} is more than this can hold.`,
    );
  const out = storage.make(count * planes * batch);
  for (const [plane, table] of tables.entries()) {
    const converted = Array.from(table, storage.convert);
    const step = channelsFirst ? 1 : planes;
    const first = channelsFirst ? plane * count : plane;
    for (let i = 0; i < count; i++)
      out[first + i * step] = converted[data[i * planes + plane] ?? 0] ?? 0;
  }
  for (let copy = 1; copy < batch; copy++) out.copyWithin(copy * count * planes, 0, count * planes);
  return dtype === 'int64' ? BigInt64Array.from(out, BigInt) : out;
}
