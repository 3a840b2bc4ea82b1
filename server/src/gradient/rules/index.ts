import type { Node } from '../../onnx/graph';
import { qualifiedOp } from '../../onnx/layerKinds';
import type { Rule } from '../rule';
import { add, div, mul, sub } from './arithmetic';
import { conv, convTranspose, deformConv } from './conv';
import { relu } from './relu';

/** Every rule; an operator is in one of them only. */
export const rules: readonly Rule[] = [
  add,
  conv,
  convTranspose,
  deformConv,
  div,
  mul,
  relu,
  sub,
];

const byOp: ReadonlyMap<string, Rule> = new Map(
  rules.flatMap(rule => rule.ops.map(op => [op, rule] as const)),
);

/** The rule of a node's operator; undefined where there is none. */
export const ruleFor = (node: Node): Rule | undefined => byOp.get(qualifiedOp(node));
