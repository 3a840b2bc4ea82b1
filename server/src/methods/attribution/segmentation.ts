import type { FractionBox, TargetSpec } from '../../../../protocol/attribution';
import { UserError } from '../../../../protocol/errors';
import type { PictureGeometry } from '../../../../protocol/preprocessing';
import type { Raster } from '../../image/raster';
import { toFloat32 } from '../../onnx/numbers';
import type { Tensor } from '../../onnx/tensor';
import type { MethodContext } from '../method';
import { beforeNormalisation } from './classOutput';
import type { Derivatives } from './derivatives';
import { gridOf, type LayerGrid } from './layerGrid';

/** Class maps are at most this much coarser than the fed picture: grids of detectors are not read as them. */
const COARSEST = 17;

/** Where a model gives a score for each class at each place. */
export interface SegmentationOutput {
  /** The graph output. */
  readonly output: string;
  /** Whether a Softmax or Sigmoid ends it. */
  readonly isNormalised: boolean;
  /** Before a final Softmax or Sigmoid; the output itself where there is none. */
  readonly scores: LayerGrid;
  /** 1: how likely each place is foreground. */
  readonly classes: number;
}

/**
 * The output [1, C, H, W] or [1, H, W, C] that can be class maps: several of one form are main and auxiliary head, the first counts. One channel, or as
 * many as a picture has, may be a picture: unless somebody `asked` for class maps, only where a Sigmoid or Softmax ends it. Null where there is none.
 */
export function segmentationOutput(
  derivatives: Derivatives,
  asked = false,
): SegmentationOutput | null {
  const { graph } = derivatives.model;
  const shapeOf = (name: string): readonly number[] | null => derivatives.shapeOf(name);
  const input = graph.inputs.find(({ name }) => shapeOf(name)?.length === 4);
  if (!input) return null;
  const fed = gridOf(derivatives, input.name);
  const maps = graph.outputs.filter(
    ({ name }) => shapeOf(name)?.length === 4 && derivatives.isFloat(name),
  );
  const [first, ...others] = maps.map(({ name }) => gridOf(derivatives, name));
  if (!first || others.some(other => other.rows !== first.rows)) return null;
  if (Math.min(first.rows, first.columns) < 2 || first.rows * COARSEST < fed.rows) return null;
  const before = beforeNormalisation(graph, first.tensor, shapeOf);
  const isNormalised = before !== first.tensor;
  const isPicture = first.channels === 1 || first.channels === 3;
  if (isPicture && !isNormalised && !asked) return null;
  const isSameShape = shapeOf(before)?.join() === first.shape.join();
  const scores = isSameShape ? gridOf(derivatives, before) : first;
  return {
    output: first.tensor,
    isNormalised,
    scores: scores.channels === first.channels ? scores : first,
    classes: first.channels,
  };
}

/** The class that is highest at each place, [images, positions]; −1 where the only one is not foreground. */
export async function highestClasses(
  derivatives: Derivatives,
  { scores, output, classes, isNormalised }: SegmentationOutput,
): Promise<Int32Array> {
  const tensor = (await derivatives.values([scores.tensor])).get(scores.tensor);
  if (!tensor) throw new Error(`the run gave no ${scores.tensor}`);
  const planes = scores.planes(tensor);
  const { images, positions } = scores;
  // of a sigmoid; in front of it that is zero
  const threshold = isNormalised && scores.tensor === output ? 0.5 : 0;
  const highest = new Int32Array(images * positions);
  for (let image = 0; image < images; image++)
    for (let i = 0; i < positions; i++) {
      const at = (channel: number): number =>
        planes[(image * classes + channel) * positions + i] ?? NaN;
      let best = 0;
      for (let channel = 1; channel < classes; channel++)
        if (at(channel) > at(best)) best = channel;
      highest[image * positions + i] = classes === 1 && !(at(0) > threshold) ? -1 : best;
    }
  return highest;
}

/** Classes that are the highest somewhere in the first image, by their share of it. */
export async function segmentsOf(
  derivatives: Derivatives,
  found: SegmentationOutput,
): Promise<readonly { readonly classIndex: number; readonly share: number }[]> {
  const { positions } = found.scores;
  const counts = new Map<number, number>();
  for (const classIndex of (await highestClasses(derivatives, found)).subarray(0, positions))
    if (classIndex >= 0) counts.set(classIndex, (counts.get(classIndex) ?? 0) + 1);
  return [...counts]
    .map(([classIndex, count]) => ({ classIndex, share: count / positions }))
    .sort((a, b) => b.share - a.share);
}

/**
 * The weights of a mask target on the class maps: they make the mean score of the class over the places in question, of each image.
 * @throws UserError `unsupported`, `outOfRange`, and what reading the mask throws.
 */
export async function segmentationSeed(
  spec: Extract<TargetSpec, { kind: 'mask' }>,
  derivatives: Derivatives,
  context: MethodContext,
): Promise<{ readonly tensor: string; readonly values: Float32Array }> {
  const found = segmentationOutput(derivatives, true);
  if (!found)
    throw new UserError(
      'unsupported',
      'This model gives no class maps that a mask could be laid on; choose an output element, a channel or the sum as target.',
    );
  const { scores, classes } = found;
  if (!Number.isInteger(spec.class) || spec.class < 0 || spec.class >= classes)
    throw new UserError(
      'outOfRange',
      `The class maps are of the classes 0 to ${classes - 1}; ${spec.class} is none of them.`,
    );
  const chosen = await chosenPlaces(spec, derivatives, context, found);
  const { images, positions } = scores;
  const planes = new Float32Array(images * classes * positions);
  for (let image = 0; image < images; image++) {
    const here = chosen.subarray(image * positions, (image + 1) * positions);
    const count = here.reduce((sum, each) => sum + each, 0);
    const start = (image * classes + spec.class) * positions;
    for (let i = 0; i < positions; i++) planes[start + i] = (here[i] ?? 0) / Math.max(1, count);
  }
  const { shape } = scores;
  const nothing: Tensor = { dtype: 'float32', shape, data: new Float32Array(planes.length) };
  return { tensor: scores.tensor, values: toFloat32(scores.unplaned(planes, nothing)) };
}

/** 1 at the places that count, [images, positions]. */
async function chosenPlaces(
  spec: Extract<TargetSpec, { kind: 'mask' }>,
  derivatives: Derivatives,
  context: MethodContext,
  found: SegmentationOutput,
): Promise<Uint8Array> {
  const { images, positions } = found.scores;
  if (spec.mask === undefined && !spec.region) {
    const highest = await highestClasses(derivatives, found);
    const chosen = Uint8Array.from(highest, index => Number(index === spec.class));
    if (chosen.includes(1)) return chosen;
    const there = (await segmentsOf(derivatives, found)).slice(0, 5);
    const names = there.map(({ classIndex }) => classIndex).join(', ');
    throw new UserError(
      'outOfRange',
      `Class ${spec.class} is nowhere the highest in this picture${names ? ` (these are: ${names})` : ''}; choose one that is, or give a mask.`,
    );
  }
  const one =
    spec.mask === undefined
      ? regionPlaces(spec.region ?? WHOLE, found.scores)
      : maskPlaces(
          (await context.decode(spec.mask)).raster,
          await context.geometry(derivatives.feeds),
          found.scores,
        );
  if (!one.includes(1))
    throw new UserError(
      'outOfRange',
      spec.mask === undefined
        ? 'The region holds no place of the class maps; make it larger.'
        : `${spec.mask} is white nowhere in the part that the network sees.`,
    );
  const chosen = new Uint8Array(images * positions);
  for (let image = 0; image < images; image++) chosen.set(one, image * positions);
  return chosen;
}

const WHOLE: FractionBox = { left: 0, top: 0, right: 1, bottom: 1 };

function regionPlaces(region: FractionBox, { rows, columns }: LayerGrid): Uint8Array {
  const places = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const [x, y] = [(column + 0.5) / columns, (row + 0.5) / rows];
      const inside = x >= region.left && x < region.right && y >= region.top && y < region.bottom;
      places[row * columns + column] = Number(inside);
    }
  return places;
}

/**
 * Where a mask is white, by the pixel at the centre of each place. A mask of the picture's own size is seen through the same crop as the picture, any other is
 * the fed picture.
 */
function maskPlaces(
  { width, height, rgba }: Raster,
  geometry: PictureGeometry | null,
  { rows, columns }: LayerGrid,
): Uint8Array {
  const isPicture =
    geometry !== null && geometry.picture.width === width && geometry.picture.height === height;
  const places = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const [u, v] = [(column + 0.5) / columns, (row + 0.5) / rows];
      const x = isPicture ? u * geometry.fed.width * geometry.scaleX + geometry.offsetX : u * width;
      const y = isPicture
        ? v * geometry.fed.height * geometry.scaleY + geometry.offsetY
        : v * height;
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const at = 4 * (Math.floor(y) * width + Math.floor(x));
      const light = ((rgba[at] ?? 0) + (rgba[at + 1] ?? 0) + (rgba[at + 2] ?? 0)) / 3;
      places[row * columns + column] = Number(light >= 128 && (rgba[at + 3] ?? 0) >= 128);
    }
  return places;
}
