import { scatterOp, takeAlong } from '../indexing';
import { axisFrom0, type Operators } from '../operators';
import type { InputGradient, Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** Where a scatter operator writes. */
interface Places {
  /** Data with updates put, or added … in, at the places. */
  put(data: Value, updates: Value, reduction: string): Value;
  /** What is there, in the updates' shape. */
  take(values: Value): Value;
}

/** Single elements along an axis are written; `Scatter` is its name before opset 11. */
export const scatterElements: Rule = {
  ops: ['ScatterElements', 'Scatter'],
  vjp: (n, e) => {
    const axis = axisFrom0(n.int('axis', 0), n.x().shape.length);
    return scattered(n, e, {
      put: (data, updates, reduction) =>
        e.node(scatterOp(e), [data, n.x(1), updates], { axis, ...how(reduction) }),
      take: values => takeAlong(n, e, values, n.x(1), axis),
    });
  },
};

/** Slices at index tuples are written. */
export const scatterNd: Rule = {
  ops: ['ScatterND'],
  vjp: (n, e) =>
    scattered(n, e, {
      put: (data, updates, reduction) =>
        e.node('ScatterND', [data, n.x(1), updates], how(reduction)),
      take: values => e.node('GatherND', [values, n.x(1)]),
    }),
};

const how = (reduction: string): { readonly reduction?: string } =>
  reduction === 'none' ? {} : { reduction };

/**
 * Gradients of data and updates. Without a reduction, what happens to an element that is written twice is not defined by the operator: each
 * update gets the whole gradient.
 */
function scattered(n: RuleNode, e: Operators, places: Places): readonly (InputGradient | null)[] {
  const reduction = n.string('reduction', 'none');
  switch (reduction) {
    case 'none':
      return [() => places.put(n.dy, e.zeros(n.x(2)), 'none'), null, () => places.take(n.dy)];
    case 'add':
      return [() => n.dy, null, () => places.take(n.dy)];
    case 'mul':
      return [
        () => e.mul(n.dy, places.put(e.filled(n.dy.dtype, n.dy.shape, 1), n.x(2), 'mul')),
        null,
        () => ofFactors(n, e, places),
      ];
    case 'max':
    case 'min':
      return [
        () => e.masked(shared(n, e, places), e.equal(n.x(), n.y())),
        null,
        () => e.masked(places.take(shared(n, e, places)), e.equal(n.x(2), places.take(n.y()))),
      ];
    default:
      return n.refuse(`it combines by "${reduction}"`);
  }
}

/** The gradient of a factor is the product of the others: without a quotient where a factor is 0. */
function ofFactors(n: RuleNode, e: Operators, places: Places): Value {
  const updates = n.x(2);
  const isZero = e.asNumber(e.equal(updates, e.scalar(updates, 0)), updates.dtype);
  const nonZero = e.add(updates, isZero);
  const product = places.put(n.x(), nonZero, 'mul');
  const zeros = places.put(e.zeros(n.x()), isZero, 'add');
  const otherZeros = e.sub(places.take(zeros), isZero);
  const others = e.div(places.take(e.mul(n.dy, product)), nonZero);
  return e.masked(others, e.less(otherZeros, e.scalar(updates, 0.5)));
}

/** The gradient in equal parts for all, of data and updates, that are the extreme value. */
function shared(n: RuleNode, e: Operators, places: Places): Value {
  const { dtype } = n.dy;
  const own = e.asNumber(e.equal(n.x(), n.y()), dtype);
  const written = e.asNumber(e.equal(n.x(2), places.take(n.y())), dtype);
  return e.div(n.dy, places.put(own, written, 'add'));
}
