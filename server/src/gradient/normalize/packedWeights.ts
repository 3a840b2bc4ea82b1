import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import { countOf, type Value } from '../value';
import type { Rewrite } from './rewrite';

/**
 * com.microsoft.MatMulNBits: the matrix unpacked by arithmetic on constants, which ONNX Runtime does when it loads the model. Only the weights are
 * quantised, so this is exact (the kernel may quantise A too where the model allows it: `accuracy_level` 4).
 */
export const matMulNBits: Rewrite = {
  ops: ['com.microsoft.MatMulNBits'],
  write: (n, e) => {
    const bits = n.int('bits', 4);
    const [columns, rows] = [n.int('N', 0), n.int('K', 0)];
    const [outputs = 0, blocks = 0, bytes = 0] = n.x(1).shape;
    const known = (bits === 4 || bits === 8) && outputs === columns && blocks * bytes > 0;
    if (!known || n.has(4) || n.int('weight_prepacked', 0) !== 0) return null;
    const block = (bytes * 8) / bits;
    const numbers = e.reshape(unpacked(e, n.x(1), bits), [columns, blocks, block]);
    const centred = e.sub(numbers, zeroPoints(n, e, { bits, columns, blocks }));
    const scaled = e.mul(centred, e.reshape(n.x(2), [columns, blocks, 1]));
    const padded = e.reshape(scaled, [columns, blocks * block]);
    const matrix = block * blocks === rows ? padded : e.slice(padded, [0], [rows], [1]);
    const product = e.matMul(n.x(0), e.swapLast(matrix));
    return [n.has(5) ? e.add(product, n.x(5)) : product];
  },
};

/** Bytes [..., m] as float32 numbers [..., m · 8 / bits]; of two in a byte the low one comes first. */
function unpacked(e: Operators, packed: Value, bits: number): Value {
  const bytes = e.cast(packed, 'float32');
  if (bits === 8) return bytes;
  const high = e.node('Floor', [e.scale(bytes, 1 / 16)]);
  const low = e.sub(bytes, e.scale(high, 16));
  const shape = packed.shape;
  const pairs = e.concat(
    [low, high].map(each => e.reshape(each, [...shape, 1])),
    shape.length,
  );
  return e.reshape(pairs, [...shape.slice(0, -1), 2 * (shape.at(-1) ?? 0)]);
}

/** One for each block, [columns, blocks, 1]: packed as the weights are, or numbers; the middle of the range where there are none. */
function zeroPoints(
  n: RuleNode,
  e: Operators,
  { bits, columns, blocks }: { bits: number; columns: number; blocks: number },
): Value {
  if (!n.has(3)) return e.floats('float32', [], [2 ** (bits - 1)]);
  if (n.x(3).dtype !== 'uint8') return e.reshape(n.x(3), [columns, blocks, 1]);
  const packed = e.reshape(n.x(3), [columns, countOf(n.x(3)) / columns]);
  const all = unpacked(e, packed, bits);
  const given = all.shape[1] === blocks ? all : e.slice(all, [0], [blocks], [1]);
  return e.reshape(given, [columns, blocks, 1]);
}
