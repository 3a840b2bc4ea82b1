import { axisFrom0 } from '../operators';
import type { Rule } from '../rule';

/**
 * The distinct elements, or slices along an axis: the gradient of each goes to where it came from, in equal parts where it was there several times.
 * How many are distinct is not known before a run, so the node itself has to tell what became of each element.
 */
export const unique: Rule = {
  ops: ['Unique'],
  vjp: (n, e) => [
    () => {
      if (!n.gives(2) || !n.gives(3))
        n.refuse('the model does not take its inverse indices and counts');
      const { shape } = n.x();
      const flat = !n.hasAttribute('axis');
      const axis = flat ? 0 : axisFrom0(n.int('axis', 0), shape.length);
      const copies = e.asNumber(n.y(3), n.dy.dtype);
      const along = n.dy.shape.map((length, i) => (i === axis ? length : 1));
      const shared = e.div(n.dy, e.reshape(copies, along));
      return e.reshape(e.node('Gather', [shared, n.y(2)], { axis }), shape);
    },
  ],
};
