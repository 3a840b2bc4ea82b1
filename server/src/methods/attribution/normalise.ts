import { resizeMap } from '../../image/resizeMap';

const EPSILON = 1e-7;

/**
 * `norm` of pytorch-grad-cam's `scale_cam_image`: m = max(raw, 0); m −= min(m); m /= 1e-7 + max(m); for each image. [images, positions].
 */
export function normalised(raw: Float32Array, positions: number): Float32Array {
  return eachImage(raw, positions, image => minMax(image.map(value => Math.max(value, 0))));
}

/**
 * `upsampled` of the same: a normalised map enlarged with half-pixel bilinear interpolation (edges clamped, no antialiasing), and normalised once more.
 * [images, rows, columns] → [images, outRows, outColumns].
 */
export function upsampled(
  norm: Float32Array,
  rows: number,
  columns: number,
  outRows: number,
  outColumns: number,
): Float32Array {
  const images = norm.length / (rows * columns);
  const out = new Float32Array(images * outRows * outColumns);
  for (let image = 0; image < images; image++) {
    const map = norm.subarray(image * rows * columns, (image + 1) * rows * columns);
    const large = resizeMap(map, rows, columns, outRows, outColumns, 'bilinear');
    out.set(minMax(large.map(value => Math.max(value, 0))), image * outRows * outColumns);
  }
  return out;
}

/** (m − min) / (1e-7 + max(m − min)), each image by itself. */
export const scaled = (values: Float32Array, positions: number): Float32Array =>
  eachImage(values, positions, minMax);

function minMax(map: Float32Array): Float32Array {
  let low = Infinity;
  let high = -Infinity;
  for (const value of map) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const range = EPSILON + (high - low);
  return map.map(value => (value - low) / range);
}

function eachImage(
  values: Float32Array,
  positions: number,
  change: (image: Float32Array) => Float32Array,
): Float32Array {
  const out = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += positions)
    out.set(change(values.subarray(at, at + positions)), at);
  return out;
}
