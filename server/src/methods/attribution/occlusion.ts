import type { Attribution, Attributor } from './attributor';
import { baselineOf } from './baselines';
import { fixedTarget } from './fixedTarget';
import { maskedInput } from './maskedInput';
import { wholeOption } from './optionValues';

/** Windows along the shorter side, without overlap. */
const WINDOWS = 8;

/**
 * Occlusion (Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2, in the form of captum's `Occlusion` with a window over all channels): a square window is filled with the baseline, place by place; a
 * place's value is the mean fall of the score over the windows that cover it, the same in all channels. The last window of a row or column may reach over the edge. Windows are visited from coarse to fine
 * (every eighth row and column, then every fourth, …), so that the map covers the picture early.
 */
export const occlusion: Attributor = {
  name: 'occlusion',
  async attribute(request) {
    const { input, options, derivatives, target } = request;
    const baseline = await baselineOf(request, options.baseline);
    const masked = maskedInput(input, baseline.values);
    const { rows, columns } = masked;
    const shorter = Math.min(rows, columns);
    const window = wholeOption(
      'window',
      options.window,
      sideOf(shorter),
      1,
      Math.max(rows, columns),
    );
    const stride = wholeOption('stride', options.stride, Math.ceil(window / 2), 1, window);
    const windows = coarseToFine(stepsOf(rows, window, stride), stepsOf(columns, window, stride));
    const fixed = await fixedTarget(request);
    const { images } = input.grid;
    const size = rows * columns;
    const drops = new Float64Array(images * size);
    const covered = new Uint32Array(size);
    const mask = new Float32Array(images * size).fill(1);
    const places = input.grid.placesOfElements();
    const attributionOf = (): Attribution => ({
      kind: 'tensor',
      perPlace: true,
      grid: input.grid,
      values: Float32Array.from(places, place =>
        place < 0 ? 0 : (drops[place] ?? 0) / Math.max(1, covered[place % size] ?? 0),
      ),
      value: fixed.value,
      options: { window, stride, ...baseline.options },
    });
    const cover = (row: number, column: number, act: (place: number) => void): void => {
      for (let y = row * stride; y < Math.min(rows, row * stride + window); y++)
        for (let x = column * stride; x < Math.min(columns, column * stride + window); x++)
          act(y * columns + x);
    };
    const hide = (row: number, column: number, share: number): void =>
      cover(row, column, place => {
        for (let image = 0; image < images; image++) mask[image * size + place] = share;
      });
    for (const [done, { row, column }] of windows.entries()) {
      hide(row, column, 0);
      const value = await derivatives.valueFor(
        target.tensor,
        new Map([[input.name, masked.with(mask)]]),
      );
      hide(row, column, 1);
      const scores = fixed.scoresOf(value);
      const fall = fixed.scores.map((score, image) => score - (scores[image] ?? 0));
      cover(row, column, place => {
        covered[place] = (covered[place] ?? 0) + 1;
        for (let image = 0; image < images; image++)
          drops[image * size + place] = (drops[image * size + place] ?? 0) + (fall[image] ?? 0);
      });
      request.report(
        (done + 1) / windows.length,
        `${done + 1} of ${windows.length} windows`,
        attributionOf,
      );
    }
    return attributionOf();
  },
};

const sideOf = (shorter: number): number => Math.max(1, Math.round(shorter / WINDOWS));

/** Windows along an axis: they start at multiples of the stride until one reaches the end. */
const stepsOf = (size: number, window: number, stride: number): number =>
  Math.max(0, Math.ceil((size - window) / stride)) + 1;

/** All windows; those whose row and column are multiples of a larger power of two first. */
function coarseToFine(
  rows: number,
  columns: number,
): readonly { readonly row: number; readonly column: number }[] {
  const level = (index: number): number => index & -index || 2 ** 30;
  return Array.from({ length: rows * columns }, (_, i) => ({
    row: Math.floor(i / columns),
    column: i % columns,
  })).sort(
    (a, b) => Math.min(level(b.row), level(b.column)) - Math.min(level(a.row), level(a.column)),
  );
}
