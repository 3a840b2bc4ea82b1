import type { DataType, ValueInfo } from '../../../protocol/model';
import { type Affine, type ArithmeticOp, at, isArithmetic, followedBy, zip } from './affine';
import { type ChannelSwap, findChannelSwap, MAX_HOPS, RESHAPES } from './channelSwap';
import { isSizeInput } from './dataPath';
import type { Graph, Node } from './graph';

/** Elements that a constant may have to be read as a scale or shift per channel. */
const MAX_CHANNELS = 64;

/** One thing that the graph does to its input before the first real layer. `values` null: a constant that is not one number per channel. */
export type StartStep =
  | { readonly kind: 'cast'; readonly node: string; readonly to: DataType }
  | { readonly kind: 'transpose'; readonly node: string; readonly order: readonly number[] }
  | {
      readonly kind: 'arithmetic';
      readonly node: string;
      readonly op: ArithmeticOp;
      readonly values: readonly number[] | null;
    }
  | { readonly kind: 'batchNormalization'; readonly node: string }
  | {
      readonly kind: 'resize' | 'crop' | 'pad' | 'reshape' | 'clip' | 'quantize';
      readonly node: string;
    }
  /** Channels in the order they are taken: [2, 1, 0] swaps RGB and BGR. */
  | { readonly kind: 'channels'; readonly node: string; readonly order: readonly number[] };

/** What the graph itself does to one of its inputs before the first real layer. */
export interface InputStart {
  readonly steps: readonly StartStep[];
  /** True where the graph scales or shifts the values: whoever prepares a picture must not do it again. */
  readonly normalises: boolean;
  /** (x − mean) / std is what the first layer gets of a fed value x; one number per channel or one for all. Null where that does not hold. */
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
  /** Where the graph only multiplies by one number. */
  readonly scale: number | null;
  /** The type that is fed, where the graph casts it. */
  readonly castFrom: DataType | null;
  /** The order of a Transpose (`[0, 3, 1, 2]`: fed as NHWC, computed as NCHW). */
  readonly transposes: readonly number[] | null;
  /** The nodes of the first real layers. */
  readonly firstNodes: readonly Node[];
  /** Channels that the weight of a Conv that comes first takes; null where none comes first or the channels were moved. */
  readonly channels: number | null;
}

/** Numbers of a constant by name; null for what is no constant, or has no numbers. Called for small ones only. */
export type ReadConstant = (name: string) => readonly number[] | null;

/**
 * Follows an input through casts, layout changes, resizing, arithmetic with constants, a BatchNormalization that comes first, and swaps of
 * channels (Slice, Gather or Split with Concat, as torchvision's `transform_input` exports), up to the first node that is none of these.
 */
export function inputStart(
  graph: Graph,
  shapes: ReadonlyMap<string, ValueInfo>,
  input: string,
  constant: ReadConstant,
): InputStart {
  const walk = new StartWalk(graph, shapes, constant);
  walk.follow(input);
  const { steps, affine } = walk;
  const normalises = steps.some(
    step => step.kind === 'arithmetic' || step.kind === 'batchNormalization',
  );
  const usable =
    affine !== null && affine.a.every(a => a !== 0 && Number.isFinite(a)) ? affine : null;
  const scaleOnly =
    usable !== null && usable.b.every(b => b === 0) && usable.a.every(a => a === usable.a[0]);
  const transposes = steps.find(step => step.kind === 'transpose')?.order ?? null;
  const cast = steps.some(step => step.kind === 'cast');
  return {
    steps,
    normalises,
    mean: normalises && usable ? usable.a.map((a, channel) => -at(usable.b, channel) / a) : null,
    std: normalises && usable ? usable.a.map(a => 1 / a) : null,
    scale: normalises && scaleOnly ? (usable.a[0] ?? null) : null,
    castFrom: cast ? (graph.inputs.find(value => value.name === input)?.dtype ?? null) : null,
    transposes,
    firstNodes: walk.firstNodes,
    channels: transposes === null ? convChannels(walk.firstNodes, shapes) : null,
  };
}

function convChannels(
  nodes: readonly Node[],
  shapes: ReadonlyMap<string, ValueInfo>,
): number | null {
  for (const { op, inputs, attributes } of nodes) {
    if (op !== 'Conv' && op !== 'QLinearConv') continue;
    const perGroup = shapes.get(inputs[op === 'Conv' ? 1 : 3] ?? '')?.shape?.[1];
    const group = attributes.get('group');
    if (typeof perGroup === 'number') return perGroup * (group?.kind === 'int' ? group.value : 1);
  }
  return null;
}

const PLAIN: ReadonlyMap<string, 'resize' | 'crop' | 'pad' | 'reshape' | 'clip' | 'quantize'> =
  new Map([
    ['Resize', 'resize'],
    ['Upsample', 'resize'],
    ['Slice', 'crop'],
    ['CenterCropPad', 'crop'],
    ['Pad', 'pad'],
    ['Clip', 'clip'],
    ['QuantizeLinear', 'quantize'],
    ['DequantizeLinear', 'quantize'],
  ]);

class StartWalk {
  readonly steps: StartStep[] = [];
  affine: Affine | null = { a: [1], b: [0] };
  firstNodes: readonly Node[] = [];
  private readonly consumers = new Map<string, Node[]>();

  constructor(
    private readonly graph: Graph,
    private readonly shapes: ReadonlyMap<string, ValueInfo>,
    private readonly constant: ReadConstant,
  ) {
    for (const node of graph.nodes)
      for (const [index, name] of node.inputs.entries()) {
        if (name === '' || isSizeInput(node, index)) continue;
        const nodes = this.consumers.get(name);
        if (nodes === undefined) this.consumers.set(name, [node]);
        else if (!nodes.includes(node)) nodes.push(node);
      }
  }

  /** Follows a value as long as what is done to it is preparation. */
  follow(input: string): void {
    let name: string | null = input;
    for (let hops = 0; name !== null && hops < MAX_HOPS; hops++) {
      const nodes: readonly Node[] = this.consumers.get(name) ?? [];
      const [node] = nodes;
      this.firstNodes = nodes;
      if (node === undefined) return;
      const swap = findChannelSwap(this.consumers, this.constant, name, nodes);
      if (swap === null) name = nodes.length === 1 ? this.step(node, name) : null;
      else name = this.join(swap);
    }
  }

  /** The value behind one node that only prepares; null where the node is a real layer. */
  private step(node: Node, name: string): string | null {
    const [output = null] = node.outputs;
    if (node.domain !== '' || node.inputs[0] !== name) {
      if (!(isArithmetic(node.op) && (node.op === 'Add' || node.op === 'Mul'))) return null;
    }
    if (node.op === 'Identity' || node.op === 'Dropout') return output;
    if (node.op === 'Cast') {
      const dtype = this.shapes.get(output ?? '')?.dtype ?? 'undefined';
      this.steps.push({ kind: 'cast', node: node.name, to: dtype });
      return output;
    }
    if (node.op === 'Transpose') {
      const order = node.attributes.get('perm');
      this.steps.push({
        kind: 'transpose',
        node: node.name,
        order: order?.kind === 'ints' ? order.value : [],
      });
      return output;
    }
    if (isArithmetic(node.op)) return this.arithmetic(node, node.op, name) ? output : null;
    if (node.op === 'BatchNormalization') return this.batchNormalization(node) ? output : null;
    if (node.op === 'Gather') return this.gather(node) ? output : null;
    if (RESHAPES.has(node.op) && this.keepsPicture(node)) {
      this.steps.push({ kind: 'reshape', node: node.name });
      return output;
    }
    const plain = PLAIN.get(node.op);
    if (plain === undefined) return null;
    this.steps.push({ kind: plain, node: node.name });
    return output;
  }

  /** A Reshape into patches or a vector is a layer's business; one that moves axes of length 1 is not. */
  private keepsPicture(node: Node): boolean {
    const sizes = (name: string | undefined) =>
      this.shapes.get(name ?? '')?.shape?.filter(length => length !== 1);
    const [from, to] = [sizes(node.inputs[0]), sizes(node.outputs[0])];
    return (
      from !== undefined &&
      to !== undefined &&
      from.length === to.length &&
      from.every((length, axis) => length !== null && length === to[axis])
    );
  }

  private arithmetic(node: Node, op: ArithmeticOp, name: string): boolean {
    const other = node.inputs[0] === name ? node.inputs[1] : node.inputs[0];
    if (other === undefined || other === name) return false;
    const shape = this.shapes.get(other)?.shape;
    const perChannel =
      shape?.every(length => typeof length === 'number') === true &&
      shape.filter(length => length !== 1).length <= 1;
    const count =
      shape?.reduce<number>(
        (product, length) => product * (typeof length === 'number' ? length : NaN),
        1,
      ) ?? NaN;
    const values = perChannel && count <= MAX_CHANNELS ? this.constant(other) : null;
    if (values === null && !this.isConstantPicture(other)) return false;
    this.affine =
      values === null || this.affine === null ? null : followedBy(this.affine, op, values);
    this.steps.push({ kind: 'arithmetic', node: node.name, op, values });
    return true;
  }

  /** A mean picture: a stored constant with at least two axes that are longer than 1. */
  private isConstantPicture(name: string): boolean {
    const shape = this.shapes.get(name)?.shape;
    const large =
      (shape?.filter(length => typeof length === 'number' && length > 1).length ?? 0) >= 2;
    return large && this.graph.initializers.has(name);
  }

  private batchNormalization(node: Node): boolean {
    const read = (index: number) => this.constant(node.inputs[index] ?? '');
    const [scale, bias, mean, variance] = [read(1), read(2), read(3), read(4)];
    if (!scale || !bias || !mean || !variance) return false;
    const attribute = node.attributes.get('epsilon');
    const epsilon = attribute?.kind === 'float' ? attribute.value : 1e-5;
    const factor = zip(scale, variance, (x, y) => x / Math.sqrt(y + epsilon));
    if (this.affine !== null)
      this.affine = followedBy(
        followedBy(followedBy(this.affine, 'Sub', mean), 'Mul', factor),
        'Add',
        bias,
      );
    this.steps.push({ kind: 'batchNormalization', node: node.name });
    return true;
  }

  /** Gather of several channels by constant indices: a swap. */
  private gather(node: Node): boolean {
    const order = this.constant(node.inputs[1] ?? '');
    if (order === null || order.length < 2 || order.length > 4) return false;
    this.steps.push({ kind: 'channels', node: node.name, order });
    return true;
  }

  private join({ concat, order, steps, affine }: ChannelSwap): string | null {
    this.steps.push(...steps);
    const before = this.affine;
    this.affine = before && {
      a: zip(
        order.map(channel => at(before.a, channel)),
        affine.a,
        (x, y) => x * y,
      ),
      b: zip(
        zip(
          order.map(channel => at(before.b, channel)),
          affine.a,
          (x, y) => x * y,
        ),
        affine.b,
        (x, y) => x + y,
      ),
    };
    return concat.outputs[0] ?? null;
  }
}
