import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { channelsFirst, channelsLast } from './channelsLast';
import type { Rewrite } from './rewrite';

/** com.microsoft.GroupNorm (Wu and He 2018, arXiv 1803.08494), with SiLU behind it where `activation` is 1. */
export const groupNorm: Rewrite = {
  ops: ['com.microsoft.GroupNorm'],
  write: (n, e) => {
    const output = groupNormalised(n, e, n.x(0));
    return output && [output];
  },
};

/** com.microsoft.SkipGroupNorm: the same of x + skip + bias, which is the second output. */
export const skipGroupNorm: Rewrite = {
  ops: ['com.microsoft.SkipGroupNorm'],
  write: (n, e) => {
    const [batch = 1] = n.x(0).shape;
    const last = n.int('channels_last', 1) !== 0;
    const channels = n.x(1).shape[0] ?? 1;
    const single = last ? [1, 1, channels] : [channels, 1, 1];
    const skip = n.x(3).shape.length === 2 ? e.reshape(n.x(3), [batch, ...single]) : n.x(3);
    const joined = e.add(n.x(0), skip);
    const sum = n.has(4) ? e.add(joined, e.reshape(n.x(4), single)) : joined;
    const output = groupNormalised(n, e, sum);
    return output && [output, sum];
  },
};

/** Each group as one channel of an InstanceNormalization, then scale and bias by channel. */
function groupNormalised(n: RuleNode, e: Operators, given: Value): Value | null {
  const last = n.int('channels_last', 1) !== 0;
  const groups = n.int('groups', 0);
  const activation = n.int('activation', 0);
  const x = last ? channelsFirst(e, given) : given;
  const [batch = 1, channels = 1, ...sizes] = x.shape;
  if (groups <= 0 || channels % groups !== 0 || activation > 1) return null;
  const ones = e.floats(x.dtype, [groups], new Float64Array(groups).fill(1));
  const grouped = e.reshape(x, [batch, groups, countOfGroup(x, groups)]);
  const centred = e.node('InstanceNormalization', [grouped, ones, e.scale(ones, 0)], {
    epsilon: { float: n.float('epsilon', 1e-5) },
  });
  const byChannel = (index: number): Value =>
    e.reshape(n.x(index), [channels, ...sizes.map(() => 1)]);
  const affine = e.add(e.mul(e.reshape(centred, x.shape), byChannel(1)), byChannel(2));
  const output = activation === 1 ? e.mul(affine, e.node('Sigmoid', [affine])) : affine;
  return last ? channelsLast(e, output) : output;
}

const countOfGroup = (x: Value, groups: number): number =>
  x.shape.slice(1).reduce((a, b) => a * b, 1) / groups;
