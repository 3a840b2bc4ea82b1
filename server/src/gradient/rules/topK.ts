import { addAlong } from '../indexing';
import { axisFrom0 } from '../operators';
import type { Rule } from '../rule';

/** The k largest (or smallest, 11) along an axis: their gradients go to where they came from. The indices have none. */
export const topK: Rule = {
  ops: ['TopK'],
  vjp: (n, e) => [
    () => {
      if (!n.gives(1)) n.refuse('the model does not take its indices');
      const { shape } = n.x();
      const axis = axisFrom0(n.int('axis', -1), shape.length);
      return addAlong(n, e, n.dy, n.y(1), axis, shape, true);
    },
  ],
};
