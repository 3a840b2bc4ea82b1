import type { Dimension, ValueInfo } from '../../../../protocol/model';
import { producersOf } from '../constantPlan';
import { intAttribute, intsAttribute } from '../constantShapes';
import { dataPathOf, isVarying, type VaryingValues } from '../dataPath';
import type { Graph, Model, Node } from '../graph';
import type { Shape } from '../shapes/dimensions';

/** What is known of the values of a graph without a run, as `inferValues` gives it. */
export interface Facts {
  readonly shapes: ReadonlyMap<string, ValueInfo>;
  elements(name: string): readonly number[] | null;
}

/** A graph as searches through it see it: who makes a value, who uses it, and what is known of it. */
export class GraphView {
  readonly producers: ReadonlyMap<string, Node>;
  /** The nodes on the data path, in order. */
  readonly nodes: readonly Node[];
  readonly varying: VaryingValues;
  private readonly users = new Map<string, Node[]>();

  constructor(
    readonly model: Model,
    readonly graph: Graph,
    private readonly facts: Facts,
    outer: VaryingValues | null,
  ) {
    this.producers = producersOf(graph);
    const path = dataPathOf(graph, outer);
    this.nodes = path.nodes;
    this.varying = path.varying;
    for (const node of graph.nodes)
      for (const name of new Set(node.inputs)) {
        if (name === '') continue;
        const users = this.users.get(name) ?? [];
        users.push(node);
        this.users.set(name, users);
      }
  }

  producer(name: string): Node | undefined {
    return this.producers.get(name);
  }
  usersOf(name: string): readonly Node[] {
    return this.users.get(name) ?? [];
  }
  /** True for values that depend on what is fed by more than its shape. */
  varies(name: string): boolean {
    return name !== '' && isVarying(this.varying, name);
  }
  shape(name: string): Shape | null {
    return this.facts.shapes.get(name)?.shape ?? null;
  }
  rank(name: string): number | null {
    return this.shape(name)?.length ?? null;
  }
  /** Size of an axis that counts from the end (−1 is the last). */
  size(name: string, axis: number): Dimension {
    return this.shape(name)?.at(axis) ?? null;
  }
  /** Elements of a small constant, or of a value that follows from sizes. */
  elements(name: string): readonly number[] | null {
    return this.facts.elements(name);
  }
  /** Version of the operators of ai.onnx. */
  get opset(): number {
    return this.model.opsets.get('') ?? this.model.opsets.get('ai.onnx') ?? 1;
  }
  /** Axes that moved from an attribute to an input at some version; null where they are left out or not known. */
  axes(node: Node, index: number): readonly number[] | null {
    const input = node.inputs[index] ?? '';
    return input === '' ? intsAttribute(node, 'axes') : this.elements(input);
  }
}

/** An operator of ai.onnx. */
export const isStandard = (node: Node, op: string): boolean => node.domain === '' && node.op === op;

/** An operator that ONNX Runtime adds. */
export const isMicrosoft = (node: Node, op: string): boolean =>
  node.domain === 'com.microsoft' && node.op === op;

/** An attribute that says an axis, counted from the end; null where the rank is not known and the axis counts from the front. */
export function axisFromEnd(node: Node, absent: number, rank: number | null): number | null {
  const axis = intAttribute(node, 'axis', absent);
  if (axis < 0) return axis;
  return rank === null ? null : axis - rank;
}

export function floatAttribute(node: Node, name: string, absent: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' || attribute?.kind === 'int' ? attribute.value : absent;
}
