import type { TokenLayout } from '../../../../protocol/attention';
import { toFloat32 } from '../../onnx/numbers';
import { elementCount, type Tensor } from '../../onnx/tensor';
import { gridOf } from '../attribution/layerGrid';
import type { AttentionRun } from './attentionRun';
import type { RunBlock } from './runBlocks';

/** Where the queries of windowed attention lie. */
export interface WindowPlaces {
  /** The grid that the windows are cut from, in each image. */
  readonly grid: TokenLayout;
  /** [images · windows, queries]: place in its image, row by row; −1 for padding. */
  readonly places: Int32Array;
  /** Images that the windows come from. */
  readonly images: number;
}

/**
 * The place of each query of windowed attention, told by the graph itself: the part between the grid and the windows only moves elements, so it is run
 * with the number of its place in each of them. Shifts and padding are followed that way. Null for other attention, and where the part is not found.
 */
export async function windowPlaces(
  { derivatives }: AttentionRun,
  { block }: RunBlock,
): Promise<WindowPlaces | null> {
  const { windows } = block;
  if (!windows || derivatives.shapeOf(windows.from) === null) return null;
  const grid = gridOf(derivatives, windows.from);
  if (grid.positions < 2) return null;
  const numbered = new Float32Array(grid.images * grid.channels * grid.positions);
  for (let at = 0; at < numbered.length; at++) numbered[at] = (at % grid.positions) + 1;
  const shape: Tensor = {
    dtype: 'float32',
    shape: grid.shape,
    data: new Float32Array(elementCount(grid.shape)),
  };
  const runPart = await derivatives.behind(windows.to, [windows.from]);
  const moved = await runPart(new Map([[windows.from, grid.unplaned(numbered, shape)]]));
  const channels = moved.shape.at(-1) ?? 1;
  const values = toFloat32(moved);
  const places = Int32Array.from(
    { length: values.length / channels },
    (_, token) => (values[token * channels] ?? 0) - 1,
  );
  return {
    grid: { rows: grid.rows, columns: grid.columns, prefixTokens: 0 },
    places,
    images: grid.images,
  };
}
