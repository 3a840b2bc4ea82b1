import { axisFrom0, type Operators } from '../operators';
import type { Rule } from '../rule';
import type { Value } from '../value';

/**
 * y_i = x_0 ⋯ x_i along an axis (26). An element's gradient is the product in front of it times what the outputs from it on make of the
 * elements behind it, s_j = g_j + x_(j+1) · s_(j+1): no quotient, so that zeros do no harm. `exclusive` outputs have no x_i: the gradient
 * comes from one further on. `reverse` counts from the end.
 */
export const cumProd: Rule = {
  ops: ['CumProd'],
  known: [1],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      const axis = axisFrom0(n.intsOrInput('axis', 1)?.[0] ?? 0, shape.length);
      const isReverse = n.int('reverse', 0) !== 0;
      const turned = (value: Value): Value => (isReverse ? e.reverse(value, [axis]) : value);
      const x = turned(n.x());
      const g = n.int('exclusive', 0) === 0 ? turned(n.dy) : ahead(e, turned(n.dy), axis, 1);
      return turned(
        e.mul(productsBefore(e, x, axis), recurrence(e, g, ahead(e, x, axis, 1), axis)),
      );
    },
  ],
};

/**
 * s_j = g_j + a_j · s_(j+1), from the end, by doubling (Hillis and Steele 1986, "Data parallel algorithms"): as many steps as the length has
 * binary digits.
 */
function recurrence(e: Operators, g: Value, a: Value, axis: number): Value {
  let [sums, products] = [g, a];
  for (let distance = 1; distance < (g.shape[axis] ?? 0); distance *= 2) {
    sums = e.add(sums, e.mul(products, ahead(e, sums, axis, distance)));
    products = e.mul(products, ahead(e, products, axis, distance));
  }
  return sums;
}

/** x_0 ⋯ x_(j−1), 1 for the first; by doubling. */
function productsBefore(e: Operators, x: Value, axis: number): Value {
  let products = behind(e, x, axis, 1);
  for (let distance = 1; distance < (x.shape[axis] ?? 0); distance *= 2)
    products = e.mul(products, behind(e, products, axis, distance));
  return products;
}

/** What is `distance` further on along an axis; 0 beyond the end. */
function ahead(e: Operators, a: Value, axis: number, distance: number): Value {
  const rest = e.slice(a, [distance], [a.shape[axis] ?? 0], [axis]);
  return e.pad(rest, amounts(a, axis, 0), amounts(a, axis, distance));
}

/** What was `distance` before; 1 in front of the beginning. */
function behind(e: Operators, a: Value, axis: number, distance: number): Value {
  const rest = e.slice(a, [0], [(a.shape[axis] ?? 0) - distance], [axis]);
  return e.pad(rest, amounts(a, axis, distance), amounts(a, axis, 0), 1);
}

const amounts = (a: Value, axis: number, amount: number): number[] =>
  a.shape.map((_, i) => (i === axis ? amount : 0));
