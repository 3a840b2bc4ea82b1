import type { Rule } from '../rule';

/** Blocks [batch, channels · block, places] added up in an image: back, each block is read from it, by a Conv with one-hot kernels. */
export const col2Im: Rule = {
  ops: ['Col2Im'],
  known: [2],
  vjp: (n, e) => [
    () => {
      const [batch = 1, channels = 1, ...image] = n.y().shape;
      const block = n.numbers(2) ?? image;
      const size = block.reduce((a, b) => a * b, 1);
      const oneHot = Array.from({ length: size * size }, (_, at) =>
        at % (size + 1) === 0 ? 1 : 0,
      );
      const blocks = e.node(
        'Conv',
        [
          e.reshape(n.dy, [batch * channels, 1, ...image]),
          e.floats(n.dy.dtype, [size, 1, ...block], oneHot),
        ],
        {
          kernel_shape: block,
          strides: n.ints('strides') ?? block.map(() => 1),
          dilations: n.ints('dilations') ?? block.map(() => 1),
          pads: n.ints('pads') ?? [...block, ...block].map(() => 0),
        },
      );
      return e.reshape(blocks, n.x(0).shape);
    },
  ],
};
