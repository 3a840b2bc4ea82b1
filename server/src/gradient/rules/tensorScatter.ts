import { axisFrom0, type Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** An update written into a cache from a position on that each image of the batch has of its own (24); `circular` begins anew at the end. */
export const tensorScatter: Rule = {
  ops: ['TensorScatter'],
  vjp: (n, e) => {
    const axis = axisFrom0(n.int('axis', -2), n.x().shape.length);
    return [
      () => e.node('ScatterElements', [n.dy, places(n, e, axis), e.zeros(n.x(1))], { axis }),
      () => e.node('GatherElements', [n.dy, places(n, e, axis)], { axis }),
    ];
  },
};

/** Where each element of the update goes along the axis; of the update's shape. */
function places(n: RuleNode, e: Operators, axis: number): Value {
  const { shape } = n.x(1);
  const [batch = 1] = shape;
  const alone = (at: number, length: number): number[] =>
    shape.with(at, length).map((size, i) => (i === at ? size : 1));
  const steps = e.reshape(e.range(shape[axis] ?? 0), alone(axis, shape[axis] ?? 0));
  if (!n.has(2)) return e.expand(steps, shape);
  const reached = e.add(e.reshape(e.cast(n.x(2), 'int64'), alone(0, batch)), steps);
  const size = e.ints([n.x().shape[axis] ?? 1], []);
  return e.expand(e.node('Mod', [reached, size]), shape);
}
