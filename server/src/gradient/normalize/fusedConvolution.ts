import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { activated } from './activation';
import { channelsFirst, channelsLast } from './channelsLast';
import { copied, type Rewrite } from './rewrite';

/** Attributes of Conv. */
export const CONVOLUTION = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'];

/** com.microsoft.FusedConv: activation(Conv(x, w, b) + z). */
export const fusedConv: Rewrite = {
  ops: ['com.microsoft.FusedConv'],
  write: (n, e) => {
    const product = convolved(n, e, n.x(0));
    const sum = n.has(3) ? e.add(product, n.x(3)) : product;
    const output = activated(
      e,
      sum,
      n.string('activation', ''),
      n.floats('activation_params') ?? [],
    );
    return output && [output];
  },
};

/** com.microsoft.NhwcConv and NhwcFusedConv: x, z and the output [batch, height, width, channels], weights as Conv has them. */
export const channelsLastConv: Rewrite = {
  ops: ['com.microsoft.NhwcConv', 'com.microsoft.NhwcFusedConv'],
  write: (n, e) => {
    const product = channelsLast(e, convolved(n, e, channelsFirst(e, n.x(0))));
    const sum = n.has(3) ? e.add(product, n.x(3)) : product;
    const output = activated(
      e,
      sum,
      n.string('activation', ''),
      n.floats('activation_params') ?? [],
    );
    return output && [output];
  },
};

const convolved = (n: RuleNode, e: Operators, x: Value): Value =>
  e.node('Conv', [x, n.x(1), n.has(2) ? n.x(2) : null], copied(n, CONVOLUTION));
