import type { Rule } from '../rule';
import { countOf } from '../value';

/** Elements put at flat places of a tensor of zeros: back, they are read from there. */
export const maxUnpool: Rule = {
  ops: ['MaxUnpool'],
  vjp: (n, e) => [() => e.node('Gather', [e.reshape(n.dy, [countOf(n.dy)]), n.x(1)], { axis: 0 })],
};
