import type { DataType, Dimension, ValueInfo } from '../../../protocol/model';
import type { Layout } from '../../../protocol/preprocessing';
import type { Graph, Node } from './graph';
import { type InputStart, inputStart, type ReadConstant } from './inputStart';
import { producersOf } from './constantPlan';

/** Sides shorter than this are no picture. */
const MIN_SIDE = 8;
/** One-channel inputs that are taller than this many times their width are spectra over time, not pictures. */
const MAX_TALL = 1.5;
const MAX_WIDE = 10;

/** What the file tells of one input, for feeding it. */
export interface InputFacts {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly Dimension[] | null;
  /** Whether it takes a picture, and the sentence that says why or why not. */
  readonly picture: boolean;
  readonly reason: string;
  /** Null where it is no picture. */
  readonly layout: Layout | null;
  readonly channels: number | null;
  /** A number where the file fixes it. */
  readonly height: Dimension;
  readonly width: Dimension;
  readonly start: InputStart;
}

/** Where the classes of an output are. */
export interface ClassAxis {
  readonly kind: 'classification' | 'segmentation' | 'sequence';
  readonly axis: number;
  readonly classes: number;
}

export interface OutputFacts {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly Dimension[] | null;
  readonly classAxis: ClassAxis | null;
  /** What makes the values: probabilities need no softmax any more. */
  readonly activation: 'softmax' | 'log-softmax' | 'sigmoid' | null;
}

const PICTURE_TYPES: readonly DataType[] = [
  'float32',
  'float16',
  'float64',
  'bfloat16',
  'uint8',
  'int8',
  'uint16',
  'int32',
];
const CHANNELS: readonly Dimension[] = [1, 3, 4];
const NO_PICTURE_NAMES =
  /mask|mel|spec(trogram)?\b|audio|wave|speech|mfcc|signal|past|cache|state|hidden|noise|latent/i;
const PICTURE_NAMES = /image|img|pixel|picture|photo|rgb|bgr|gr[ae]y/i;
const WINDOWED: ReadonlySet<string> = new Set([
  'Conv',
  'QLinearConv',
  'ConvInteger',
  'FusedConv',
  'ConvTranspose',
  'MaxPool',
  'AveragePool',
  'Resize',
]);

/**
 * Layout, channels and size of an input, and whether it is plausibly a picture. It is one when all of this holds:
 * - its type is a float or a small integer, and its name does not say otherwise (mask, mel, audio, past, state …);
 * - rank 4 with 1, 3 or 4 channels in axis 1 (NCHW) or axis 3 (NHWC), or rank 3 (CHW, HWC) that the graph turns into rank 4; where both
 *   axes fit, a Transpose that moves axis 3 to 1 or a first Conv decides, and without them it is NCHW; open channels are read from the
 *   weight of a Conv that comes first;
 * - its sides are open or at least 8 long;
 * - with one channel and fixed sides, it is at most 1.5 times as tall as wide and 10 times as wide as tall: frames of spectra ([N, 76, 32, 1]:
 *   time by frequency) have the rank and the channel of a grey picture, but are tall; a name such as `image` overrules this;
 * - it has three channels, or a convolution, pooling or resizing comes after it (a key-value cache of 4 heads has none).
 */
export function inputFacts(
  graph: Graph,
  shapes: ReadonlyMap<string, ValueInfo>,
  input: ValueInfo,
  constant: ReadConstant,
): InputFacts {
  const start = inputStart(graph, shapes, input.name, constant);
  const base = { name: input.name, dtype: input.dtype, shape: input.shape, start };
  const no = (reason: string): InputFacts => ({
    ...base,
    picture: false,
    reason,
    layout: null,
    channels: null,
    height: null,
    width: null,
  });
  if (input.container !== undefined || input.shape === null) return no('Its shape is not known.');
  if (!PICTURE_TYPES.includes(input.dtype)) return no(`Its type is ${input.dtype}.`);
  if (NO_PICTURE_NAMES.test(input.name)) return no('Its name says that it is something else.');
  const layout = layoutOf(input.shape, start, shapes);
  if (layout === null)
    return no(
      `Its shape [${input.shape.map(length => length ?? '?').join(', ')}] is not that of a picture.`,
    );
  const place = AXES[layout];
  const [height = null, width = null] = [input.shape[place.rows], input.shape[place.columns]];
  const channels =
    place.channels === null
      ? 1
      : channelsOf(input.shape[place.channels] ?? null, start.firstNodes, shapes);
  if ([height, width].some(side => typeof side === 'number' && side < MIN_SIDE))
    return no('Its sides are too short for a picture.');
  if (channels === 1 && !PICTURE_NAMES.test(input.name) && !hasPictureRatio(height, width))
    return no('One channel that is much taller than wide is more likely a spectrum over time.');
  if (channels !== 3 && !reachesWindow(graph, input.name))
    return no('No convolution, pooling or resizing comes after it.');
  return {
    ...base,
    picture: true,
    reason: `${layout} with ${channels ?? 'open'} channels`,
    layout,
    channels,
    height,
    width,
  };
}

interface PictureAxes {
  readonly channels: number | null;
  readonly rows: number;
  readonly columns: number;
}

/** Axes of channels, rows and columns for each layout. */
export const AXES: Readonly<Record<Layout, PictureAxes>> = {
  NCHW: { channels: 1, rows: 2, columns: 3 },
  NHWC: { channels: 3, rows: 1, columns: 2 },
  CHW: { channels: 0, rows: 1, columns: 2 },
  HWC: { channels: 2, rows: 0, columns: 1 },
  NHW: { channels: null, rows: 1, columns: 2 },
  HW: { channels: null, rows: 0, columns: 1 },
};

const startsWithConv = (nodes: readonly Node[]): Node | undefined =>
  nodes.find(node => node.op === 'Conv' || node.op === 'FusedConv' || node.op === 'QLinearConv');

function layoutOf(
  shape: readonly Dimension[],
  start: InputStart,
  shapes: ReadonlyMap<string, ValueInfo>,
): Layout | null {
  const fits = (axis: number) => CHANNELS.includes(shape[axis] ?? null);
  const open = (axis: number) => typeof shape[axis] !== 'number';
  const [order] = [start.transposes];
  if (shape.length === 4) {
    const toFirst = order?.length === 4 && order[1] === 3;
    if (toFirst && (fits(3) || open(3))) return 'NHWC';
    const untouched = order === null && startsWithConv(start.firstNodes) !== undefined;
    if (fits(1) && (untouched || !fits(3))) return 'NCHW';
    if (open(1) && untouched && !fits(3)) return 'NCHW';
    if (fits(3) && !fits(1)) return 'NHWC';
    return fits(1) ? 'NCHW' : null;
  }
  if (
    shape.length !== 3 ||
    !start.firstNodes.some(node => (shapes.get(node.inputs[0] ?? '')?.shape?.length ?? 0) === 4)
  )
    return null;
  if (shape[2] === 3 || (fits(2) && !fits(0))) return 'HWC';
  return fits(0) ? 'CHW' : null;
}

/** Channels where they are fixed, else what the weight of the first Conv asks for. */
function channelsOf(
  declared: Dimension,
  first: readonly Node[],
  shapes: ReadonlyMap<string, ValueInfo>,
): number | null {
  if (typeof declared === 'number') return declared;
  const conv = startsWithConv(first);
  if (conv === undefined) return null;
  const perGroup = shapes.get(conv.inputs[conv.op === 'QLinearConv' ? 3 : 1] ?? '')?.shape?.[1];
  const group = conv.attributes.get('group');
  return typeof perGroup === 'number' ? perGroup * (group?.kind === 'int' ? group.value : 1) : null;
}

function hasPictureRatio(height: Dimension, width: Dimension): boolean {
  if (typeof height !== 'number' || typeof width !== 'number') return true;
  return height <= MAX_TALL * width && width <= MAX_WIDE * height;
}

function reachesWindow(graph: Graph, input: string): boolean {
  const below = new Set([input]);
  for (const node of graph.nodes) {
    if (!node.inputs.some(name => below.has(name))) continue;
    if (WINDOWED.has(node.op)) return true;
    for (const name of node.outputs) if (name !== '') below.add(name);
  }
  return false;
}

/**
 * What the file tells of one output. Classes are: the last axis of [N, K] and [K]; the axis beside two of length 1 ([N, K, 1, 1],
 * [N, 1, 1, K]); of a map that is at most 8 times smaller than the picture the axis that is none of its sides (segmentation: [N, K, H, W]
 * or [N, H, W, K]; one or three channels of the picture's size are a picture); the last axis of [N, T, K] behind a softmax (sequence).
 */
export function outputFacts(
  graph: Graph,
  shapes: ReadonlyMap<string, ValueInfo>,
  output: ValueInfo,
  pictures: readonly InputFacts[],
): OutputFacts {
  const info = shapes.get(output.name) ?? output;
  const activation = activationOf(graph, output.name);
  const numeric =
    info.dtype.startsWith('float') ||
    info.dtype === 'bfloat16' ||
    info.dtype === 'uint8' ||
    info.dtype === 'int8';
  const classAxis =
    info.shape === null || !numeric || info.container !== undefined
      ? null
      : classAxisOf(info.shape, activation, pictures);
  return { name: output.name, dtype: info.dtype, shape: info.shape, classAxis, activation };
}

function classAxisOf(
  shape: readonly Dimension[],
  activation: OutputFacts['activation'],
  pictures: readonly InputFacts[],
): ClassAxis | null {
  const on = (kind: ClassAxis['kind'], axis: number): ClassAxis | null => {
    const classes = shape[axis];
    return typeof classes === 'number' && classes >= 2 ? { kind, axis, classes } : null;
  };
  if (shape.length === 1) return on('classification', 0);
  if (shape.length === 2) return on('classification', 1);
  if (shape.length === 3)
    return activation === 'softmax' || activation === 'log-softmax' ? on('sequence', 2) : null;
  if (shape.length !== 4) return null;
  if (shape[2] === 1 && shape[3] === 1) return on('classification', 1);
  if (shape[1] === 1 && shape[2] === 1) return on('classification', 3);
  const axis = mapChannels(shape, pictures);
  const found = axis === null ? null : on('segmentation', axis);
  return found === null || found.classes === 3 ? null : found;
}

/** The axis of a map that is none of its two sides; null where the sides do not belong to a picture. */
function mapChannels(shape: readonly Dimension[], pictures: readonly InputFacts[]): number | null {
  const isSide = (side: Dimension, whole: Dimension): boolean =>
    typeof side === 'number' && typeof whole === 'number'
      ? side <= whole * 1.25 && whole <= side * 8 + 8
      : typeof side !== 'number' && typeof whole !== 'number';
  const covers = (rows: number, columns: number): boolean =>
    pictures.some(
      ({ picture, height, width }) =>
        picture && isSide(shape[rows] ?? null, height) && isSide(shape[columns] ?? null, width),
    );
  const [first, last] = [covers(2, 3), covers(1, 2)];
  if (first && last) return shape[1] === shape[2] && shape[2] !== shape[3] ? 3 : 1;
  if (first) return 1;
  return last ? 3 : null;
}

/** Operators that leave probabilities what they are. */
const PASSES: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Transpose',
  'DequantizeLinear',
  'QuantizeLinear',
  'Dropout',
]);
const ACTIVATIONS: ReadonlyMap<string, OutputFacts['activation']> = new Map([
  ['Softmax', 'softmax'],
  ['QLinearSoftmax', 'softmax'],
  ['LogSoftmax', 'log-softmax'],
  ['Sigmoid', 'sigmoid'],
  ['QLinearSigmoid', 'sigmoid'],
]);

function activationOf(graph: Graph, output: string): OutputFacts['activation'] {
  const producers = producersOf(graph);
  let name = output;
  for (let steps = 0; steps < 16; steps++) {
    const node = producers.get(name);
    if (node === undefined) return null;
    if (!PASSES.has(node.op)) return ACTIVATIONS.get(node.op) ?? null;
    name = node.inputs[0] ?? '';
  }
  return null;
}
