import type { Dimension, ValueInfo } from '../../../protocol/model';
import type { ReceptiveField } from '../../../protocol/methods';
import { captured, isSizeInput } from './dataPath';
import * as pieces from './fields/pieces';
import * as pointwise from './fields/pointwise';
import {
  type AxisInterval,
  type FieldContext,
  type FieldRule,
  hull,
  isEmpty,
  type Region,
  whole,
} from './fields/region';
import { reshaped } from './fields/reshape';
import * as windows from './fields/windows';
import type { Graph, Node } from './graph';

/** Tensors of a higher rank have no receptive field here. */
const MAX_RANK = 8;

const family = (names: string, rule: FieldRule): readonly (readonly [string, FieldRule])[] =>
  names.split(' ').map(name => [name, rule] as const);

/** Operators that are followed; all others look at all of their inputs. */
const RULES: ReadonlyMap<string, FieldRule> = new Map([
  ...family(
    'Abs Acos Add And Asin Atan BitShift Cast Ceil Celu Clip Cos Cosh Div Dropout Elu Equal Erf Exp Expand Floor Gelu Greater ' +
      'GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or ' +
      'Pow Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where ' +
      'Xor FastGelu QuickGelu BiasGelu BiasAdd',
    pointwise.aligned,
  ),
  ...family(
    'BatchNormalization PRelu DequantizeLinear QuantizeLinear QLinearSigmoid QLinearLeakyRelu',
    pointwise.first,
  ),
  ...family('QLinearAdd QLinearMul', pointwise.aligned),
  ...family('Softmax LogSoftmax Hardmax', pointwise.softmax),
  ...family(
    'LayerNormalization RMSNormalization SimplifiedLayerNormalization',
    pointwise.layerNormalization,
  ),
  ...family('InstanceNormalization GroupNormalization', pointwise.instanceNormalization),
  ['LRN', pointwise.channelNormalization],
  ...family('LpNormalization CumSum', pointwise.axisNormalization),
  ['MeanVarianceNormalization', pointwise.meanVarianceNormalization],
  ...family('Conv ConvInteger', windows.windowed(0, 1)),
  ['QLinearConv', windows.windowed(0, 3)],
  ['ConvTranspose', windows.transposedConvolution],
  ...family('MaxPool AveragePool LpPool', windows.windowed(0, null)),
  ...family('GlobalAveragePool GlobalMaxPool GlobalLpPool', windows.global),
  ...family('Resize Upsample', windows.resized),
  ['Transpose', pieces.transposed],
  ['Concat', pieces.concatenated],
  ['Pad', pieces.padded],
  ['Slice', pieces.sliced],
  ['Split', pieces.split],
  ['Gather', pieces.gathered],
  ['DepthToSpace', pieces.depthToSpace],
  ['SpaceToDepth', pieces.spaceToDepth],
  ...family(
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare ArgMax ArgMin',
    pointwise.reduced,
  ),
  ...family('MatMul Gemm', pointwise.multiplied),
  ...family('Reshape Flatten Squeeze Unsqueeze', reshaped),
]);

/** Along one axis of the picture, in fed pixels: how many pixels a position sees, how far apart two neighbours look, where position 0 starts. */
export interface AxisField {
  readonly size: number;
  readonly stride: number;
  readonly offset: number;
}

export interface TensorField {
  readonly rows: AxisField;
  readonly columns: AxisField;
  /** The axes of the tensor that run along the picture's rows and columns. */
  readonly axes: { readonly rows: number; readonly columns: number };
  /** What one position can see; it may reach beyond the picture, into the padding. */
  fieldOf(row: number, column: number): ReceptiveField | null;
}

export interface PictureInput {
  readonly name: string;
  /** Axes of rows and columns: 2 and 3 for NCHW, 1 and 2 for NHWC. */
  readonly rows: number;
  readonly columns: number;
}

/**
 * The theoretical receptive field of the positions of `tensor` on the picture fed to `input`: the extent that can influence a position
 * through any path (Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, by walking back
 * from a position with intervals, so that branches, resizing and layouts are covered exactly). `shapes` are those of the run (all sizes
 * that matter are numbers); `constant` gives the elements of small constants (amounts of Pad, bounds of Slice).
 *
 * `size` and `offset` are those of the middle position and of position 0, `stride` the mean step. Null where no two axes of the tensor run
 * along the picture, or where every position sees everything: behind global pooling, attention, gates computed from the whole picture
 * (squeeze-and-excitation), flattening, recurrence, and operators that are not followed. Values in subgraphs have none.
 */
export function receptiveField(
  graph: Graph,
  shapes: ReadonlyMap<string, ValueInfo>,
  tensor: string,
  input: PictureInput,
  options: { readonly version: number; constant(name: string): readonly number[] | null },
): TensorField | null {
  const shape = shapes.get(tensor)?.shape;
  if (shape === null || shape === undefined || shape.length < 2 || shape.length > MAX_RANK)
    return null;
  const walk = new BackwardWalk(graph, input.name, {
    version: options.version,
    shape: name => shapes.get(name)?.shape ?? null,
    constant: name => options.constant(name),
  });
  const axes = axesAlong(walk, tensor, shape, input);
  if (axes === null) return null;
  const seenFrom = (row: number, column: number): Region | null =>
    walk.seen(
      tensor,
      shape.map((_, axis) =>
        point(axis === axes.rows ? row : axis === axes.columns ? column : null),
      ),
    );
  const fieldOf = (row: number, column: number): ReceptiveField | null => {
    const region = seenFrom(row, column);
    const [vertical, horizontal] = [region?.[input.rows], region?.[input.columns]];
    if (!vertical || !horizontal) return null;
    return {
      left: horizontal.first,
      top: vertical.first,
      width: horizontal.last - horizontal.first + 1,
      height: vertical.last - vertical.first + 1,
    };
  };
  const count = (axis: number): number => sizeOf(shape[axis] ?? null);
  const [height, width] = [count(axes.rows), count(axes.columns)];
  const middle = fieldOf(Math.floor(height / 2), Math.floor(width / 2));
  const [start, end] = [fieldOf(0, 0), fieldOf(height - 1, width - 1)];
  if (middle === null || start === null || end === null) return null;
  return {
    rows: {
      size: middle.height,
      offset: start.top,
      stride: height > 1 ? (end.top - start.top) / (height - 1) : 1,
    },
    columns: {
      size: middle.width,
      offset: start.left,
      stride: width > 1 ? (end.left - start.left) / (width - 1) : 1,
    },
    axes,
    fieldOf,
  };
}

const point = (at: number | null): AxisInterval => (at === null ? null : { first: at, last: at });

const sizeOf = (length: Dimension): number =>
  typeof length === 'number' && length > 0 ? length : 1;

/** The axis that bounds the picture's rows and the one that bounds its columns when one position along it is looked at. */
function axesAlong(
  walk: BackwardWalk,
  tensor: string,
  shape: readonly Dimension[],
  input: PictureInput,
): { readonly rows: number; readonly columns: number } | null {
  const along = (pictureAxis: number): readonly number[] =>
    shape.flatMap((_, axis) => {
      const region = walk.seen(
        tensor,
        shape.map((_, other) => point(other === axis ? 0 : null)),
      );
      return region !== null && (region[pictureAxis] ?? null) !== null ? [axis] : [];
    });
  const [rows, ...otherRows] = along(input.rows);
  const [columns, ...otherColumns] = along(input.columns);
  const clear = otherRows.length === 0 && otherColumns.length === 0 && rows !== columns;
  return rows === undefined || columns === undefined || !clear ? null : { rows, columns };
}

function add(regions: Map<string, Region>, name: string, part: Region): void {
  if (isEmpty(part)) return;
  const other = regions.get(name);
  regions.set(name, other === undefined ? part : hull(other, part));
}

/** Follows a region of a tensor back to the graph's input. */
class BackwardWalk {
  /** Nodes between input and tensor in reverse order, found once for each tensor. */
  private readonly paths = new Map<string, readonly Node[]>();

  constructor(
    private readonly graph: Graph,
    private readonly input: string,
    private readonly context: FieldContext,
  ) {}

  /** The part of the input that the region is made from; null where it is not made from the input at all. */
  seen(tensor: string, region: Region): Region | null {
    const regions = new Map<string, Region>([[tensor, region]]);
    for (const node of this.pathTo(tensor))
      for (const [output, name] of node.outputs.entries()) {
        const looked = regions.get(name);
        if (looked === undefined) continue;
        const rule = RULES.get(node.op) ?? whole;
        rule(node, looked, this.context, output).forEach((part, index) => {
          if (part !== null && !isSizeInput(node, index))
            add(regions, node.inputs[index] ?? '', part);
        });
        for (const inner of captured(node))
          add(regions, inner, new Array<null>(this.context.shape(inner)?.length ?? 0).fill(null));
      }
    return regions.get(this.input) ?? null;
  }

  private pathTo(tensor: string): readonly Node[] {
    const known = this.paths.get(tensor);
    if (known !== undefined) return known;
    const below = new Set([this.input]);
    const forward = this.graph.nodes.filter(node => {
      if (![...node.inputs, ...captured(node)].some(name => below.has(name))) return false;
      for (const name of node.outputs) if (name !== '') below.add(name);
      return true;
    });
    const above = new Set([tensor]);
    const path = forward.toReversed().filter(node => {
      if (!node.outputs.some(name => above.has(name))) return false;
      for (const name of [...node.inputs, ...captured(node)]) above.add(name);
      return true;
    });
    this.paths.set(tensor, path);
    return path;
  }
}
