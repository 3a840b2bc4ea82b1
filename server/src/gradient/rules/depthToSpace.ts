import type { Rule } from '../rule';

/** Channels in blocks become positions: [batch, b, b, c, h, w] as [batch, c, h, b, w, b], or [batch, c, b, b, h, w] in mode CRD. */
export const depthToSpace: Rule = {
  ops: ['DepthToSpace'],
  vjp: (n, e) => [
    () => {
      const block = n.int('blocksize', 1);
      const [batch = 1, channels = 1, height = 1, width = 1] = n.y().shape;
      const cut = [batch, channels, height / block, block, width / block, block];
      const order = n.string('mode', 'DCR') === 'CRD' ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4];
      return e.reshape(e.transpose(e.reshape(n.dy, cut), order), n.x().shape);
    },
  ],
};

/** The other way round, [batch, c, h, b, w, b] as [batch, b, b, c, h, w]. */
export const spaceToDepth: Rule = {
  ops: ['SpaceToDepth'],
  vjp: (n, e) => [
    () => {
      const block = n.int('blocksize', 1);
      const [batch = 1, channels = 1, height = 1, width = 1] = n.x().shape;
      const cut = [batch, block, block, channels, height / block, width / block];
      return e.reshape(e.transpose(e.reshape(n.dy, cut), [0, 3, 4, 1, 5, 2]), n.x().shape);
    },
  ],
};
