import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import type { Rewrite } from './rewrite';

/** RotaryEmbedding (since version 23): x, cos, sin, positions; without those, cos and sin are by position already. */
export const rotaryEmbedding: Rewrite = {
  ops: ['RotaryEmbedding'],
  write: (n, e) => {
    const table = (index: number): Value =>
      n.has(3) ? e.node('Gather', [n.x(index), n.x(3)]) : n.x(index);
    return turnedInput(n, e, n.int('num_heads', 0), table(1), table(2));
  },
};

/** com.microsoft.RotaryEmbedding: x, positions or the first of them, cos, sin. */
export const microsoftRotaryEmbedding: Rewrite = {
  ops: ['com.microsoft.RotaryEmbedding'],
  write: (n, e) => {
    if (n.int('is_packed_batching', 0) !== 0 || n.float('scale', 1) !== 1) return null;
    const { shape } = n.x(0);
    const length = (shape.length === 3 ? shape[1] : shape[2]) ?? 1;
    const positions =
      n.x(1).shape.length === 1
        ? e.reshape(e.add(e.cast(n.x(1), 'int64'), e.range(length)), [1, length])
        : n.x(1);
    const table = (index: number): Value => e.node('Gather', [n.x(index), positions]);
    const size = 2 * (n.x(2).shape[1] ?? 1);
    const given = n.int('num_heads', 0);
    const heads = given > 0 ? given : (shape[2] ?? 0) / size;
    return turnedInput(n, e, heads, table(2), table(3));
  },
};

const turnedInput = (
  n: RuleNode,
  e: Operators,
  heads: number,
  cos: Value,
  sin: Value,
): readonly Value[] | null => {
  const turned = rotated(e, n.x(0), heads, {
    ...{ cos, sin },
    interleaved: n.int('interleaved', 0) !== 0,
  });
  return turned && [turned];
};

/** The angles of each position. */
export interface Rotation {
  /** [batch or 1, S, pairs]. */
  readonly cos: Value;
  readonly sin: Value;
  /** Pairs are neighbours; else one from each half. */
  readonly interleaved: boolean;
}

/**
 * Turns pairs of numbers of each head by the angle of their position (Su et al. 2021, arXiv 2104.09864); what is behind
 * `rotary_embedding_dim` stays. x: [batch, heads, S, size] or [batch, S, heads · size], null where the heads do not fit it.
 */
export function rotated(
  e: Operators,
  given: Value,
  heads: number,
  { cos, sin, interleaved }: Rotation,
): Value | null {
  const [batch = 1, second = 1, third = 1] = given.shape;
  const flat = given.shape.length === 3;
  if (flat && (heads <= 0 || third % heads !== 0)) return null;
  const x = flat ? e.reshape(given, [batch, second, heads, third / heads]) : given;
  const [rows = 1, length = 1, pairs = 1] = cos.shape;
  const broadcast = flat ? [rows, length, 1, pairs] : [rows, 1, length, pairs];
  const size = x.shape[3] ?? 1;
  const turned = turn(e, e.slice(x, [0], [2 * pairs], [3]), {
    cos: e.reshape(cos, broadcast),
    sin: e.reshape(sin, broadcast),
    interleaved,
  });
  const whole =
    2 * pairs < size ? e.concat([turned, e.slice(x, [2 * pairs], [size], [3])], 3) : turned;
  return e.reshape(whole, given.shape);
}

function turn(e: Operators, x: Value, { cos, sin, interleaved }: Rotation): Value {
  const shape = x.shape.slice(0, 3);
  const pairs = (x.shape[3] ?? 0) / 2;
  const split = e.reshape(x, interleaved ? [...shape, pairs, 2] : [...shape, 2, pairs]);
  const axis = interleaved ? 4 : 3;
  const part = (index: number): Value =>
    e.reshape(e.slice(split, [index], [index + 1], [axis]), [...shape, pairs]);
  const [real, imaginary] = [part(0), part(1)];
  const parts = [
    e.sub(e.mul(real, cos), e.mul(imaginary, sin)),
    e.add(e.mul(real, sin), e.mul(imaginary, cos)),
  ];
  const single = interleaved ? [...shape, pairs, 1] : [...shape, 1, pairs];
  return e.reshape(
    e.concat(
      parts.map(each => e.reshape(each, single)),
      axis,
    ),
    x.shape,
  );
}
