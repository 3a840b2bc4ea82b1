import { axisFrom0 } from '../operators';
import type { Rule } from '../rule';

/** Tensors one after the other along an axis. */
export const concat: Rule = {
  ops: ['Concat'],
  vjp: (n, e) => {
    const axis = axisFrom0(n.int('axis', 1), n.y().shape.length);
    let end = 0;
    return Array.from({ length: n.inputCount }, (_, i) => {
      const start = end;
      end += n.x(i).shape[axis] ?? 0;
      const stop = end;
      return () => (n.inputCount === 1 ? n.dy : e.slice(n.dy, [start], [stop], [axis]));
    });
  },
};
