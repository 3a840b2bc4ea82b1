import type { MapLayout } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import { elementCount } from '../onnx/tensor';

/** The grid that tokens came from. */
export interface TokenGrid {
  readonly rows: number;
  readonly columns: number;
}

/** What is known of a tensor besides its shape, from the graph around it. */
export interface MapHints {
  /** Where the channels are; null where the graph does not tell. */
  readonly channels: 'first' | 'last' | null;
  /** Size of the nearest map in front of the tensor; tokens that fit it are laid out on it. */
  readonly grid: TokenGrid | null;
  /** True where tokens of a square number may be taken for a square picture (the model sees an image). */
  readonly picture: boolean;
}

/** A tensor read as channels × rows × columns without copying: element index = channelOffset(c) + positions[row · columns + column]. */
export interface MapView {
  readonly layout: MapLayout;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly prefixTokens: number;
  readonly channelStride: number;
  /** Offset of the first element of the batch, and of the first token after the prefix. */
  readonly offset: number;
  readonly positions: Positions;
  readonly notes: readonly string[];
}

/** Element offset of a position: (row, column) → row · rowStride + (column mod width) · columnStride + ⌊column / width⌋ · depthStride. */
export interface Positions {
  readonly rowStride: number;
  readonly columnStride: number;
  /** Columns of one depth slice; the full width where there is no depth. */
  readonly width: number;
  readonly depthStride: number;
}

/** Element index of a value of a map. */
export const elementIndex = (
  view: MapView,
  channel: number,
  row: number,
  column: number,
): number => {
  const { rowStride, columnStride, width, depthStride } = view.positions;
  const slice = Math.floor(column / width);
  return (
    view.offset +
    channel * view.channelStride +
    row * rowStride +
    (column - slice * width) * columnStride +
    slice * depthStride
  );
};

/** Prefix lengths that occur with square grids: none, class, class + distillation, registers, class + registers (arXiv 2309.16588). */
const USUAL_PREFIXES = [1, 0, 2, 4, 5];
/** Most tokens that are taken for a prefix where the grid itself is known. */
const MOST_PREFIX_TOKENS = 16;

/**
 * How a tensor of this shape is read as maps; batch index 0.
 * rank 4: [B,C,H,W] or [B,H,W,C]; rank 5: [B,C,D,H,W] of a convolution, depth slices side by
 * side, else planes of the last two axes; rank 3: [B,C,L] where the channels come first,
 * else tokens [B,T,D] on their grid (or in a row), also as [T,1,D]; rank 2 and less, and whatever has one
 * axis besides the batch ([B,C,1,1]): bars (one row).
 * @throws UserError `unsupported` for tensors without an element.
 */
export function mapView(name: string, shape: readonly number[], hints: MapHints): MapView {
  if (elementCount(shape) === 0)
    throw new UserError(
      'unsupported',
      `The tensor "${name}" has no elements (shape [${shape.join(', ')}]).`,
    );
  if (shape.length <= 2 || (isRow(shape) && !isSequenceFirst(shape, hints)))
    return vectorView(shape);
  if (shape.length === 3) return rank3View(shape, hints);
  if (shape.length === 4) return hints.channels === 'last' ? nhwcView(shape) : nchwView(shape);
  return shape.length === 5 && hints.channels === 'first' ? volumeView(shape) : planesView(shape);
}

/** At most one axis after the batch is longer than 1: there are no positions to lay out. */
const isRow = (shape: readonly number[]): boolean =>
  shape.slice(1).filter(length => length > 1).length <= 1;

/** Recurrent layers and attention of PyTorch put the sequence before the batch: [T, 1, D]. */
const isSequenceFirst = (shape: readonly number[], hints: MapHints): boolean =>
  shape.length === 3 && hints.channels !== 'first' && size(shape, 1) === 1 && size(shape, 0) > 1;

const size = (shape: readonly number[], axis: number): number => shape[axis] ?? 1;

const batchNotes = (batch: number): string[] =>
  batch > 1 ? [`Batch of ${batch}: the first image is shown.`] : [];

function vectorView(shape: readonly number[]): MapView {
  const batched = shape.length >= 2;
  const columns = elementCount(batched ? shape.slice(1) : shape);
  return {
    layout: 'vector',
    channels: 1,
    rows: 1,
    columns,
    prefixTokens: 0,
    channelStride: columns,
    offset: 0,
    positions: { rowStride: columns, columnStride: 1, width: columns, depthStride: 0 },
    notes: batched ? batchNotes(size(shape, 0)) : [],
  };
}

function nchwView(shape: readonly number[]): MapView {
  const [batch, channels, rows, columns] = [
    size(shape, 0),
    size(shape, 1),
    size(shape, 2),
    size(shape, 3),
  ];
  return {
    layout: 'NCHW',
    channels,
    rows,
    columns,
    prefixTokens: 0,
    channelStride: rows * columns,
    offset: 0,
    positions: { rowStride: columns, columnStride: 1, width: columns, depthStride: 0 },
    notes: batchNotes(batch),
  };
}

function nhwcView(shape: readonly number[]): MapView {
  const [batch, rows, columns, channels] = [
    size(shape, 0),
    size(shape, 1),
    size(shape, 2),
    size(shape, 3),
  ];
  return {
    layout: 'NHWC',
    channels,
    rows,
    columns,
    prefixTokens: 0,
    channelStride: 1,
    offset: 0,
    positions: {
      rowStride: columns * channels,
      columnStride: channels,
      width: columns,
      depthStride: 0,
    },
    notes: batchNotes(batch),
  };
}

/** [B, C, D, H, W] of a convolution with three spatial axes: the depth slices stand side by side. */
function volumeView(shape: readonly number[]): MapView {
  const [batch, channels, depth, rows, width] = [
    size(shape, 0),
    size(shape, 1),
    size(shape, 2),
    size(shape, 3),
    size(shape, 4),
  ];
  return {
    layout: 'NCHW',
    channels,
    rows,
    columns: depth * width,
    prefixTokens: 0,
    channelStride: depth * rows * width,
    offset: 0,
    positions: { rowStride: width, columnStride: 1, width, depthStride: rows * width },
    notes: [
      ...batchNotes(batch),
      `Three spatial axes: the ${depth} slices of ${rows}×${width} stand side by side.`,
    ],
  };
}

/** Other tensors of rank 5 and more: planes of the last two axes, one for each index of the axes between them and the first. */
function planesView(shape: readonly number[]): MapView {
  const [rows = 1, columns = 1] = shape.slice(-2);
  const channels = elementCount(shape.slice(1, -2));
  return {
    ...nchwView([size(shape, 0), channels, rows, columns]),
    notes: [
      ...batchNotes(size(shape, 0)),
      `A tensor of rank ${shape.length}: each plane of its last two axes is shown as a map.`,
    ],
  };
}

function rank3View(shape: readonly number[], hints: MapHints): MapView {
  if (hints.channels === 'first') return channelFirstRow(shape, hints.grid);
  const sequenceFirst = isSequenceFirst(shape, hints);
  const tokens = size(shape, sequenceFirst ? 0 : 1);
  const channels = size(shape, 2);
  const notes = sequenceFirst ? [] : batchNotes(size(shape, 0));
  const grid = tokenGrid(tokens, hints);
  const prefix = grid ? tokens - grid.rows * grid.columns : 0;
  const columns = grid ? grid.columns : tokens;
  return {
    layout: grid ? 'tokens' : 'sequence',
    channels,
    rows: grid ? grid.rows : 1,
    columns,
    prefixTokens: prefix,
    channelStride: 1,
    offset: prefix * channels,
    positions: {
      rowStride: columns * channels,
      columnStride: channels,
      width: columns,
      depthStride: 0,
    },
    notes: grid && prefix > 0 ? [...notes, prefixNote(prefix)] : notes,
  };
}

const prefixNote = (prefix: number): string =>
  `${prefix} ${prefix === 1 ? 'token stands' : 'tokens stand'} before the grid (class or register tokens) and ${prefix === 1 ? 'is' : 'are'} not in the maps.`;

/** [B, C, L]: maps on their grid where L is a flattened map, else rows of L. */
function channelFirstRow(shape: readonly number[], grid: TokenGrid | null): MapView {
  const length = size(shape, 2);
  const fits = grid !== null && grid.rows * grid.columns === length;
  const columns = fits ? grid.columns : length;
  return {
    layout: fits ? 'NCHW' : 'sequence',
    channels: size(shape, 1),
    rows: fits ? grid.rows : 1,
    columns,
    prefixTokens: 0,
    channelStride: length,
    offset: 0,
    positions: { rowStride: columns, columnStride: 1, width: columns, depthStride: 0 },
    notes: batchNotes(size(shape, 0)),
  };
}

/** Rows and columns of `tokens` tokens: the known grid where the rest is a plausible prefix, else a square of the usual kinds, else null. */
export function tokenGrid(
  tokens: number,
  hints: Pick<MapHints, 'grid' | 'picture'>,
): TokenGrid | null {
  if (hints.grid) {
    const prefix = tokens - hints.grid.rows * hints.grid.columns;
    if (prefix >= 0 && prefix <= MOST_PREFIX_TOKENS) return hints.grid;
  }
  if (!hints.picture) return null;
  for (const prefix of USUAL_PREFIXES) {
    const side = Math.sqrt(tokens - prefix);
    if (side >= 2 && Number.isInteger(side)) return { rows: side, columns: side };
  }
  return null;
}
