import { UserError } from '../../../../protocol/errors';
import { elementCount, type Tensor } from '../../onnx/tensor';
import { toFloat32 } from '../../onnx/numbers';
import { mapHints } from '../mapHints';
import { elementIndex, mapView, type MapView } from '../mapView';
import type { Derivatives } from './derivatives';

/** A tensor read as images × channels × rows × columns; tokens on their grid, those in front of it set aside. */
export class LayerGrid {
  readonly images: number;
  private readonly perImage: number;

  constructor(
    readonly tensor: string,
    readonly shape: readonly number[],
    readonly view: MapView,
  ) {
    this.images = view.layout === 'sequence' && shape[1] === 1 ? 1 : (shape[0] ?? 1);
    this.perImage = elementCount(shape) / this.images;
  }

  get channels(): number {
    return this.view.channels;
  }
  get rows(): number {
    return this.view.rows;
  }
  get columns(): number {
    return this.view.columns;
  }
  /** Positions of one channel. */
  get positions(): number {
    return this.rows * this.columns;
  }

  /** The values as [images, channels, rows, columns]; the tensor's own memory where it is laid out like that. */
  planes(tensor: Tensor): Float32Array {
    const values = toFloat32(tensor);
    if (this.view.layout === 'NCHW' && this.shape.length <= 4) return values;
    const { images, channels, positions } = this;
    const places = this.places();
    const out = new Float32Array(images * channels * positions);
    let at = 0;
    for (let image = 0; image < images; image++)
      for (let channel = 0; channel < channels; channel++) {
        const start = image * this.perImage + channel * this.view.channelStride;
        for (const place of places) out[at++] = values[start + place] ?? 0;
      }
    return out;
  }

  /** The tensor's layout from [images, channels, rows, columns]; what is not on the grid comes from `others`. */
  unplaned(planes: Float32Array, others: Tensor): Tensor {
    const values = Float32Array.from(toFloat32(others));
    const places = this.places();
    let at = 0;
    for (let image = 0; image < this.images; image++)
      for (let channel = 0; channel < this.channels; channel++) {
        const start = image * this.perImage + channel * this.view.channelStride;
        for (const place of places) values[start + place] = planes[at++] ?? 0;
      }
    return { dtype: 'float32', shape: this.shape, data: values };
  }

  /** Weights that make the mean of a channel, or one of its positions, of every image. @throws UserError `outOfRange`. */
  channelWeights(
    channel: number,
    place: { readonly row: number; readonly column: number } | null,
  ): Float32Array {
    this.check('channel', channel, this.channels);
    if (place) {
      this.check('row', place.row, this.rows);
      this.check('column', place.column, this.columns);
    }
    const weights = new Float32Array(elementCount(this.shape));
    const places = this.places();
    const wanted = place ? place.row * this.columns + place.column : null;
    for (let image = 0; image < this.images; image++)
      for (const [position, offset] of places.entries())
        if (wanted === null || position === wanted)
          weights[image * this.perImage + channel * this.view.channelStride + offset] =
            wanted === null ? 1 / places.length : 1;
    return weights;
  }

  private check(what: string, index: number, size: number): void {
    if (Number.isInteger(index) && index >= 0 && index < size) return;
    throw new UserError(
      'outOfRange',
      `"${this.tensor}" has ${size} ${what}s (0 to ${size - 1}); ${index} is none of them.`,
    );
  }

  /** For each element of the tensor its place in [images, rows, columns]; −1 for what is not on the grid. */
  placesOfElements(): Int32Array {
    const places = new Int32Array(elementCount(this.shape)).fill(-1);
    for (const [position, offset] of this.places().entries())
      for (let image = 0; image < this.images; image++)
        for (let channel = 0; channel < this.channels; channel++)
          places[image * this.perImage + channel * this.view.channelStride + offset] =
            image * this.positions + position;
    return places;
  }

  /** Offset of each position of channel 0 in its image, row by row. */
  private places(): Int32Array {
    const places = new Int32Array(this.positions);
    for (let row = 0; row < this.rows; row++)
      for (let column = 0; column < this.columns; column++)
        places[row * this.columns + column] = elementIndex(this.view, 0, row, column);
    return places;
  }
}

/** How a tensor is read; bars included. @throws UserError `unsupported` where its size only a run tells, or it has no elements. */
export function gridOf(derivatives: Derivatives, tensor: string): LayerGrid {
  const shape = derivatives.shapeOf(tensor);
  if (!shape)
    throw new UserError(
      'unsupported',
      `The shape of "${tensor}" depends on the values of a run; choose another layer.`,
    );
  const { graph } = derivatives.model;
  const view = mapView(
    tensor,
    shape,
    mapHints(graph, tensor, name => derivatives.shapeOf(name)),
  );
  return new LayerGrid(tensor, shape, view);
}

/** As `gridOf`, for maps. @throws UserError also `noGrid` for tensors without positions. */
export function spatialGridOf(derivatives: Derivatives, tensor: string): LayerGrid {
  const grid = gridOf(derivatives, tensor);
  if (grid.view.layout !== 'vector') return grid;
  throw new UserError(
    'noGrid',
    `"${tensor}" has no spatial grid (shape [${grid.shape.join(', ')}]), so there is nothing to lay a map on; choose a layer before the pooling, or a method on the input.`,
  );
}
