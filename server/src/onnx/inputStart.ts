import type { DataType, ValueInfo } from '../../../protocol/model';
import { isSizeInput } from './dataPath';
import type { Graph, Node } from './graph';

/** Elements that a constant may have to be read as a scale or shift per channel. */
const MAX_CHANNELS = 64;
/** A chain longer than this is no preparation of a picture any more. */
const MAX_STEPS = 32;

/** One thing that the graph does to its input before the first real layer. `values` null: a constant that is not one number per channel. */
export type StartStep =
  | { readonly kind: 'cast'; readonly node: string; readonly to: DataType }
  | { readonly kind: 'transpose'; readonly node: string; readonly order: readonly number[] }
  | {
      readonly kind: 'arithmetic';
      readonly node: string;
      readonly op: 'Add' | 'Sub' | 'Mul' | 'Div';
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
}

/** Numbers of a constant by name; null for what is no constant, or has no numbers. Called for small ones only. */
export type ReadConstant = (name: string) => readonly number[] | null;

/** a · x + b per channel; null where that does not describe what the graph does. */
interface Affine {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

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
  };
}

const at = (values: readonly number[], channel: number): number =>
  values[values.length === 1 ? 0 : channel] ?? NaN;

const zip = (
  a: readonly number[],
  b: readonly number[],
  combine: (a: number, b: number) => number,
): readonly number[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, channel) =>
    combine(at(a, channel), at(b, channel)),
  );

/** a · x + b, and then the operator with these values on it. */
function then({ a, b }: Affine, op: string, values: readonly number[]): Affine {
  switch (op) {
    case 'Add':
      return { a, b: zip(b, values, (x, y) => x + y) };
    case 'Sub':
      return { a, b: zip(b, values, (x, y) => x - y) };
    case 'Mul':
      return { a: zip(a, values, (x, y) => x * y), b: zip(b, values, (x, y) => x * y) };
    default:
      return { a: zip(a, values, (x, y) => x / y), b: zip(b, values, (x, y) => x / y) };
  }
}

const RESHAPES: ReadonlySet<string> = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Expand']);
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

const isArithmetic = (op: string): op is 'Add' | 'Sub' | 'Mul' | 'Div' =>
  op === 'Add' || op === 'Sub' || op === 'Mul' || op === 'Div';

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
    while (name !== null && this.steps.length < MAX_STEPS) {
      const nodes: readonly Node[] = this.consumers.get(name) ?? [];
      const [node] = nodes;
      this.firstNodes = nodes;
      if (node === undefined) return;
      const joined = this.channelSwap(name, nodes);
      name = joined ?? (nodes.length === 1 ? this.step(node, name) : null);
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

  private arithmetic(node: Node, op: 'Add' | 'Sub' | 'Mul' | 'Div', name: string): boolean {
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
    this.affine = values === null || this.affine === null ? null : then(this.affine, op, values);
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
      this.affine = then(then(then(this.affine, 'Sub', mean), 'Mul', factor), 'Add', bias);
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

  /** Channels taken apart one by one, each with arithmetic of its own, and put together again: the Concat's output. */
  private channelSwap(name: string, nodes: readonly Node[]): string | null {
    const [only] = nodes;
    const parts =
      only?.op === 'Split' && nodes.length === 1
        ? only.outputs.map((output, index) => this.branch(output, index))
        : nodes.map(node => this.picked(node, name));
    if (parts.length < 2 || parts.length > 4) return null;
    const found = parts.filter(part => part !== null);
    const [first] = found;
    if (
      first === undefined ||
      found.length !== parts.length ||
      found.some(part => part.concat !== first.concat)
    )
      return null;
    const { concat } = first;
    if (concat.inputs.length !== found.length) return null;
    const ordered = concat.inputs.map(input => found.find(part => part.output === input));
    const complete = ordered.filter(part => part !== undefined);
    if (complete.length !== ordered.length) return null;
    this.join(concat, complete);
    return concat.outputs[0] ?? null;
  }

  private join(concat: Node, parts: readonly Branch[]): void {
    const order = parts.map(part => part.channel);
    if (order.some((channel, index) => channel !== index))
      this.steps.push({ kind: 'channels', node: concat.name, order });
    for (const part of parts) this.steps.push(...part.steps);
    const before = this.affine;
    const each = parts.map(part => part.affine);
    this.affine =
      before === null || each.some(affine => affine === null)
        ? null
        : {
            a: each.map(
              (affine, index) => at(before.a, order[index] ?? 0) * at(affine?.a ?? [], 0),
            ),
            b: each.map(
              (affine, index) =>
                at(before.b, order[index] ?? 0) * at(affine?.a ?? [], 0) + at(affine?.b ?? [], 0),
            ),
          };
  }

  /** One channel taken by Gather with one index, or by Slice of length 1. */
  private picked(node: Node, name: string): Branch | null {
    if (node.inputs[0] !== name) return null;
    const [output = ''] = node.outputs;
    const index =
      node.op === 'Gather'
        ? this.constant(node.inputs[1] ?? '')
        : node.op === 'Slice'
          ? this.sliceStart(node)
          : null;
    const [channel] = index ?? [];
    return channel === undefined || index?.length !== 1 ? null : this.branch(output, channel);
  }

  private sliceStart(node: Node): readonly number[] | null {
    const starts = node.attributes.get('starts');
    return starts?.kind === 'ints' ? starts.value : this.constant(node.inputs[1] ?? '');
  }

  /** What is done to one channel up to the Concat. */
  private branch(output: string, channel: number): Branch | null {
    const steps: StartStep[] = [];
    let name = output;
    let affine: Affine | null = { a: [1], b: [0] };
    while (steps.length < MAX_STEPS) {
      const [node, another] = this.consumers.get(name) ?? [];
      if (node === undefined || another !== undefined) return null;
      if (node.op === 'Concat') return { channel, output: name, concat: node, affine, steps };
      const [next] = node.outputs;
      if (next === undefined) return null;
      if (isArithmetic(node.op)) {
        const values = this.constant(
          (node.inputs[0] === name ? node.inputs[1] : node.inputs[0]) ?? '',
        );
        if (
          values?.length !== 1 ||
          (node.inputs[0] !== name && (node.op === 'Sub' || node.op === 'Div'))
        )
          return null;
        affine = then(affine, node.op, values);
        steps.push({ kind: 'arithmetic', node: node.name, op: node.op, values });
      } else if (!RESHAPES.has(node.op) && node.op !== 'Identity') return null;
      name = next;
    }
    return null;
  }
}

interface Branch {
  readonly channel: number;
  /** The value that goes into the Concat. */
  readonly output: string;
  readonly concat: Node;
  readonly affine: Affine | null;
  readonly steps: readonly StartStep[];
}
