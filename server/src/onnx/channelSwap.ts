import { type Affine, isArithmetic, followedBy } from './affine';
import type { Node } from './graph';
import type { ReadConstant, StartStep } from './inputStart';

/** A chain longer than this is no preparation of a picture any more. */
export const MAX_HOPS = 32;

/** Operators that only move axes of length 1 in front of a first layer. */
export const RESHAPES: ReadonlySet<string> = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Expand']);

/** Channels of a picture taken apart, scaled one by one, and put together by a Concat in this order. */
export interface ChannelSwap {
  readonly concat: Node;
  readonly order: readonly number[];
  readonly steps: readonly StartStep[];
  /** One scale and shift for each channel behind the Concat. */
  readonly affine: Affine;
}

interface Branch {
  readonly channel: number;
  /** The value that goes into the Concat. */
  readonly output: string;
  readonly concat: Node;
  readonly affine: Affine;
  readonly steps: readonly StartStep[];
}

type Consumers = ReadonlyMap<string, readonly Node[]>;

/**
 * Finds what torchvision's `transform_input` and swaps of RGB and BGR become: each channel picked by Gather, Slice or Split, arithmetic
 * with one number, one Concat. `nodes` are the consumers of the picture `name`. Null where they do something else.
 */
export function findChannelSwap(
  consumers: Consumers,
  constant: ReadConstant,
  name: string,
  nodes: readonly Node[],
): ChannelSwap | null {
  const [only] = nodes;
  const split = only?.op === 'Split' && nodes.length === 1 ? only : null;
  const parts = split
    ? split.outputs.map((output, index) => follow(consumers, constant, output, index))
    : nodes.map(node => picked(consumers, constant, node, name));
  const found = parts.filter(part => part !== null);
  const concat = found[0]?.concat;
  const whole = found.length === parts.length && parts.length >= 2 && parts.length <= 4;
  if (concat === undefined || !whole || concat.inputs.length !== found.length) return null;
  const ordered = concat.inputs.flatMap(input =>
    found.filter(part => part.concat === concat && part.output === input),
  );
  if (ordered.length !== found.length) return null;
  const order = ordered.map(part => part.channel);
  const swapped = order.some((channel, index) => channel !== index);
  return {
    concat,
    order,
    steps: [
      ...(swapped ? [{ kind: 'channels', node: concat.name, order } as const] : []),
      ...ordered.flatMap(part => part.steps),
    ],
    affine: {
      a: ordered.map(part => part.affine.a[0] ?? NaN),
      b: ordered.map(part => part.affine.b[0] ?? NaN),
    },
  };
}

/** One channel taken by Gather with one index, or by Slice. */
function picked(
  consumers: Consumers,
  constant: ReadConstant,
  node: Node,
  name: string,
): Branch | null {
  if (node.inputs[0] !== name || (node.op !== 'Gather' && node.op !== 'Slice')) return null;
  const starts = node.attributes.get('starts');
  const index = starts?.kind === 'ints' ? starts.value : constant(node.inputs[1] ?? '');
  const [channel] = index ?? [];
  if (channel === undefined || index?.length !== 1) return null;
  return follow(consumers, constant, node.outputs[0] ?? '', channel);
}

/** What is done to one channel up to the Concat. */
function follow(
  consumers: Consumers,
  constant: ReadConstant,
  output: string,
  channel: number,
): Branch | null {
  const steps: StartStep[] = [];
  let name = output;
  let affine: Affine = { a: [1], b: [0] };
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const [node, another] = consumers.get(name) ?? [];
    const [next] = node?.outputs ?? [];
    if (node === undefined || another !== undefined || next === undefined) return null;
    if (node.op === 'Concat') return { channel, output: name, concat: node, affine, steps };
    if (isArithmetic(node.op)) {
      const first = node.inputs[0] === name;
      const values = constant((first ? node.inputs[1] : node.inputs[0]) ?? '');
      const reversed = !first && (node.op === 'Sub' || node.op === 'Div');
      if (values?.length !== 1 || reversed) return null;
      affine = followedBy(affine, node.op, values);
      steps.push({ kind: 'arithmetic', node: node.name, op: node.op, values });
    } else if (!RESHAPES.has(node.op) && node.op !== 'Identity') return null;
    name = next;
  }
  return null;
}
