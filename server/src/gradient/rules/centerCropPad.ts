import type { Rule } from '../rule';

/** Cut or filled with zeros at both ends of some axes, the odd entry at the end; where nothing changes, amounts are 0. */
export const centerCropPad: Rule = {
  ops: ['CenterCropPad'],
  vjp: (n, e) => [
    () => {
      const wanted = n.x().shape;
      const more = wanted.map((size, axis) => size - (n.dy.shape[axis] ?? 0));
      // half of it, rounded towards zero
      const begins = more.map(amount => Math.trunc(amount / 2));
      const ends = more.map((amount, axis) => amount - (begins[axis] ?? 0));
      return e.pad(n.dy, begins, ends);
    },
  ],
};
