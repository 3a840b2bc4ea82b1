import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Tensor } from '../../../../server/src/onnx/tensor';
import { floatTensor } from './localEngine';

interface Stored {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
interface References {
  readonly classes: readonly number[];
  readonly input: Stored;
  readonly scoreCam: Stored;
  readonly ablationCam: Stored;
  readonly xGradCam: Stored;
  readonly guidedGradCam: Stored;
  readonly baseline: Stored;
  readonly integratedGradients: Readonly<Record<string, Stored>>;
  readonly noise: Stored;
  readonly smoothGrad: Readonly<Record<string, Stored>>;
  readonly occlusion: readonly {
    readonly window: number;
    readonly stride: number;
    readonly baseline: 'zero' | 'file';
    readonly attribution: Stored;
  }[];
}

const folder = path.resolve(import.meta.dirname, '../../../fixtures/attribution');

/** What captum and pytorch-grad-cam say of the small network for two images, each explained for its own highest class. */
export const references: References = JSON.parse(
  readFileSync(path.join(folder, 'references.json'), 'utf8'),
);

/** The same network as a file that takes its channels first or last. */
export interface Layout {
  readonly layout: 'NCHW' | 'NHWC';
  readonly model: string;
  /** A stored array of [.., C, H, W] as this file takes it. */
  tensor(stored: Stored): Tensor;
}

const floats = ({ shape, values }: Stored): Tensor => floatTensor(shape, Float32Array.from(values));

export const LAYOUTS: readonly Layout[] = [
  { layout: 'NCHW', model: path.join(folder, 'small.onnx'), tensor: floats },
  {
    layout: 'NHWC',
    model: path.join(folder, 'smallNhwc.onnx'),
    tensor: stored => channelsLast(floats(stored)),
  },
];

function channelsLast({ shape, data }: Tensor): Tensor {
  const [channels = 1, rows = 1, columns = 1] = shape.slice(-3);
  const moved = new Float32Array(data.length);
  for (let i = 0; i < moved.length; i++) {
    const column = i % columns;
    const row = Math.floor(i / columns) % rows;
    const channel = Math.floor(i / (rows * columns)) % channels;
    const image = Math.floor(i / (rows * columns * channels));
    moved[((image * rows + row) * columns + column) * channels + channel] = Number(data[i]);
  }
  return floatTensor([...shape.slice(0, -3), rows, columns, channels], moved);
}

/** ‖got − want‖ / ‖want‖. */
export function relativeError(got: ArrayLike<number>, want: Tensor): number {
  if (got.length !== want.data.length) return Infinity;
  let squares = 0;
  let norm = 0;
  for (let i = 0; i < got.length; i++) {
    squares += ((got[i] ?? NaN) - Number(want.data[i])) ** 2;
    norm += Number(want.data[i]) ** 2;
  }
  return Math.sqrt(squares / norm);
}
