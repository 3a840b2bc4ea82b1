import type { Rule } from '../rule';

/** The first entries of each sequence in reverse order: its own inverse. */
export const reverseSequence: Rule = {
  ops: ['ReverseSequence'],
  vjp: (n, e) => [
    () =>
      e.node('ReverseSequence', [n.dy, n.x(1)], {
        batch_axis: n.int('batch_axis', 1),
        time_axis: n.int('time_axis', 0),
      }),
  ],
};
