import { resizeMap } from '../../image/resizeMap';
import type { Attribution, Attributor } from './attributor';
import { fixedTarget } from './fixedTarget';
import { maskedInput } from './maskedInput';
import { amountOption, wholeOption } from './optionValues';
import { randomNumbers, type RandomNumbers } from './randomNumbers';

const MASKS = 1000;
const MOST_MASKS = 1_000_000;
const CELLS = 7;
const KEEP = 0.5;
const MOST_SEED = 2 ** 32 - 1;

/**
 * RISE (Petsiuk et al. 2018, arXiv 1806.07421, section 3.2): random grids of cells that stay visible with the probability `keep`, enlarged
 * bilinearly and shifted by up to a cell, are multiplied into the input; a place's value is the mean score over the masks, weighted by how visible each leaves it,
 * less the mean score over all masks: how much more the score is when this place is seen. The paper weights by the expected visibility,
 * keep, in place of the sum over the masks, and does not subtract the mean; scores before a softmax have any offset, which would only
 * add noise. The same in all channels.
 */
export const rise: Attributor = {
  name: 'rise',
  async attribute(request) {
    const { input, options, derivatives, target } = request;
    const masks = wholeOption('masks', options.masks, MASKS, 1, MOST_MASKS);
    const keep = amountOption('keep', options.keep, KEEP, 0.01, 0.99);
    const seed = wholeOption('seed', options.seed, 0, 0, MOST_SEED);
    const masked = maskedInput(input);
    const { rows, columns } = masked;
    const shorter = Math.min(rows, columns);
    const cell = wholeOption('cell', options.cell, Math.min(CELLS, shorter), 1, shorter);
    const random = randomNumbers(seed);
    const fixed = await fixedTarget(request);
    const { images } = input.grid;
    const size = rows * columns;
    const weighted = new Float64Array(images * size);
    const visible = new Float64Array(size);
    const total = new Float64Array(images);
    const places = input.grid.placesOfElements();
    const attributionOf = (done: number): Attribution => ({
      kind: 'tensor',
      perPlace: true,
      grid: input.grid,
      values: Float32Array.from(places, place => {
        const seen = visible[place % size] ?? 0;
        if (place < 0 || seen === 0) return 0;
        return (weighted[place] ?? 0) / seen - (total[Math.floor(place / size)] ?? 0) / done;
      }),
      value: fixed.value,
      options: { masks, cell, keep, seed },
    });
    const mask = new Float32Array(images * size);
    for (let done = 1; done <= masks; done++) {
      const one = randomMask(random, { rows, columns, cell, keep });
      for (let image = 0; image < images; image++) mask.set(one, image * size);
      const scores = fixed.scoresOf(
        await derivatives.valueFor(target.tensor, new Map([[input.name, masked.with(mask)]])),
      );
      for (let i = 0; i < size; i++) {
        const share = one[i] ?? 0;
        visible[i] = (visible[i] ?? 0) + share;
        for (let image = 0; image < images; image++)
          weighted[image * size + i] =
            (weighted[image * size + i] ?? 0) + share * (scores[image] ?? 0);
      }
      for (let image = 0; image < images; image++)
        total[image] = (total[image] ?? 0) + (scores[image] ?? 0);
      request.report(done / masks, `${done} of ${masks} masks`, () => attributionOf(done));
    }
    return attributionOf(masks);
  },
};

/** A random mask, [rows, columns], values 0…1. `cell` is the number of cells along the shorter side. */
function randomMask(
  random: RandomNumbers,
  {
    rows,
    columns,
    cell,
    keep,
  }: {
    readonly rows: number;
    readonly columns: number;
    readonly cell: number;
    readonly keep: number;
  },
): Float32Array {
  const side = Math.ceil(Math.min(rows, columns) / cell);
  const down = Math.ceil(rows / side);
  const across = Math.ceil(columns / side);
  const grid = Float32Array.from({ length: down * across }, () => Number(random.uniform() < keep));
  const width = (across + 1) * side;
  const large = resizeMap(grid, down, across, (down + 1) * side, width, 'bilinear');
  const top = Math.floor(random.uniform() * side);
  const left = Math.floor(random.uniform() * side);
  const mask = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = (top + row) * width + left;
    mask.set(large.subarray(start, start + columns), row * columns);
  }
  return mask;
}
