import { resizeMap } from '../../image/resizeMap';
import type { Attribution, InputTensor, LayerMap } from './attributor';
import type { LayerGrid } from './layerGrid';
import { normalised, scaled, upsampled } from './normalise';

interface Shaped {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** What a view draws: the first image's map on its native grid. */
export interface DrawnMap {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  readonly magnitude: Float32Array | null;
}

/** See `ExplainResult.map` and `magnitude`. */
export function drawnMap(attribution: Attribution, { grid: inputGrid }: InputTensor): DrawnMap {
  if (attribution.kind === 'layer') {
    const { rows, columns, values } = fused(attribution.maps, inputGrid);
    return { rows, columns, values: values.slice(0, rows * columns), magnitude: null };
  }
  const { grid, perPlace } = attribution;
  const { signed, magnitudes } = channelSums(grid, attribution.values, 1);
  const share = perPlace ? grid.channels : 1;
  return {
    rows: grid.rows,
    columns: grid.columns,
    values: share === 1 ? signed : signed.map(value => value / share),
    magnitude: share === 1 ? magnitudes : magnitudes.map(value => value / share),
  };
}

/** `attribution.npy`: see `ExplainResult.attribution`. */
export function rawOf(attribution: Attribution): Shaped {
  if (attribution.kind === 'tensor')
    return { values: attribution.values, shape: attribution.grid.shape };
  const { rows, columns, values } = fused(attribution.maps, null);
  return { values, shape: [values.length / (rows * columns), rows, columns] };
}

/** `heatmap.npy`: normalised to 0…1 at the input's resolution. */
export function heatmapOf(attribution: Attribution, { grid: inputGrid }: InputTensor): Shaped {
  if (attribution.kind === 'tensor') {
    const { grid } = attribution;
    const { magnitudes } = channelSums(grid, attribution.values, grid.images);
    return {
      values: scaled(magnitudes, grid.positions),
      shape: [grid.images, grid.rows, grid.columns],
    };
  }
  const [first] = attribution.maps;
  const images = first?.grid.images ?? 0;
  const isPicture = inputGrid.view.layout === 'NCHW' || inputGrid.view.layout === 'NHWC';
  const rows = isPicture ? inputGrid.rows : (first?.grid.rows ?? 1);
  const columns = isPicture ? inputGrid.columns : (first?.grid.columns ?? 1);
  const large = attribution.maps.map(({ grid, values }) =>
    upsampled(normalised(values, grid.positions), grid.rows, grid.columns, rows, columns),
  );
  const mean = meanOf(large, images * rows * columns);
  return {
    values: large.length > 1 ? scaled(mean, rows * columns) : mean,
    shape: [images, rows, columns],
  };
}

/** One layer's map as it is; of several the mean of their normalised maps, each enlarged to the finest grid among them. */
function fused(
  maps: readonly LayerMap[],
  empty: LayerGrid | null,
): { readonly rows: number; readonly columns: number; readonly values: Float32Array } {
  const [only] = maps;
  if (!only) {
    const rows = empty?.rows ?? 1;
    const columns = empty?.columns ?? 1;
    return { rows, columns, values: new Float32Array(rows * columns) };
  }
  if (maps.length === 1)
    return { rows: only.grid.rows, columns: only.grid.columns, values: only.values };
  const finest = maps.reduce((a, b) => (b.grid.positions > a.grid.positions ? b : a)).grid;
  const { rows, columns, images, positions } = finest;
  const resized = maps.map(({ grid, values }) => {
    const norm = normalised(values, grid.positions);
    const out = new Float32Array(images * positions);
    for (let image = 0; image < images; image++)
      out.set(
        resizeMap(
          norm.subarray(image * grid.positions, (image + 1) * grid.positions),
          grid.rows,
          grid.columns,
          rows,
          columns,
          'bilinear',
        ),
        image * positions,
      );
    return out;
  });
  return { rows, columns, values: meanOf(resized, images * positions) };
}

function meanOf(maps: readonly Float32Array[], length: number): Float32Array {
  const mean = new Float32Array(length);
  for (const map of maps) for (let i = 0; i < length; i++) mean[i] = (mean[i] ?? 0) + (map[i] ?? 0);
  return mean.map(sum => sum / Math.max(1, maps.length));
}

/** Sums over the channels of a tensor's first images, [images, positions] each: of the values, and of their magnitudes. */
function channelSums(
  grid: LayerGrid,
  values: Float32Array,
  images: number,
): { readonly signed: Float32Array; readonly magnitudes: Float32Array } {
  const { channels, positions } = grid;
  const planes = grid.planes({ dtype: 'float32', shape: grid.shape, data: values });
  const signed = new Float32Array(images * positions);
  const magnitudes = new Float32Array(images * positions);
  for (let image = 0, from = 0; image < images; image++)
    for (let channel = 0; channel < channels; channel++, from += positions) {
      const to = image * positions;
      for (let i = 0; i < positions; i++) {
        const value = planes[from + i] ?? 0;
        signed[to + i] = (signed[to + i] ?? 0) + value;
        magnitudes[to + i] = (magnitudes[to + i] ?? 0) + Math.abs(value);
      }
    }
  return { signed, magnitudes };
}
