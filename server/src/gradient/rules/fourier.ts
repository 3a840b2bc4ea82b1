import { type AxisMatrix, transposedAlong } from '../axisMatrix';
import { placeAlong } from '../indexing';
import { axisFrom0 } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/**
 * Discrete Fourier transform along an axis; the last axis holds real and imaginary part, or the real part alone. It is linear: the gradient goes
 * back by the transposed matrix. The axis is an attribute before version 20, input 2 since.
 */
export const dft: Rule = {
  ops: ['DFT'],
  known: [1, 2],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      const rank = shape.length;
      const given = n.intsOrInput('axis', 2)?.[0] ?? n.int('axis', n.version < 20 ? 1 : -2);
      const axis = axisFrom0(given, rank);
      const [samples, frequencies] = [shape[axis] ?? 0, n.dy.shape[axis] ?? 0];
      const isInverse = n.int('inverse', 0) !== 0;
      const length = n.intsOrInput('dft_length', 1)?.[0] ?? samples;
      const matrix = transformMatrix(n, {
        ...{ samples, frequencies, isInverse },
        length: isInverse ? frequencies : length,
        parts: shape.at(-1) ?? 1,
        outputParts: n.dy.shape.at(-1) ?? 2,
      });
      const others = [...Array(rank - 1).keys()].filter(each => each !== axis);
      const order = [...others, axis, rank - 1];
      const arranged = e.transpose(n.dy, order);
      const outer = others.reduce((product, each) => product * (shape[each] ?? 1), 1);
      const flat = transposedAlong(e, e.reshape(arranged, [outer, matrix.rows]), 1, matrix);
      const back = e.reshape(
        flat,
        order.map(each => shape[each] ?? 1),
      );
      return e.transpose(
        back,
        order.map((_, each) => order.indexOf(each)),
      );
    },
  ],
};

/** Transforms of windows of a signal [batch, samples, parts]: outputs are [batch, frames, frequencies, 2]. Both signal and window have gradients. */
export const stft: Rule = {
  ops: ['STFT'],
  known: [1, 3],
  vjp: (n, e) => {
    const [batch = 1, size = 1, parts = 1] = n.x().shape;
    const [, frames = 1, frequencies = 1, outputParts = 2] = n.dy.shape;
    const step = n.intsOrInput('frame_step', 1)?.[0] ?? 1;
    const length = n.intsOrInput('frame_length', 3)?.[0] ?? n.x(2).shape[0] ?? 1;
    const rows = Array.from({ length: frames }, (_, frame) =>
      Array.from({ length }, (_each, i) => frame * step + i),
    ).flat();
    const framed = (value: Value): Value => e.reshape(value, [batch, frames, length, parts]);
    /** The gradient of the frames behind the window. */
    const ofFrames = (): Value => {
      const matrix = transformMatrix(n, {
        samples: length,
        ...{ frequencies, length, parts, outputParts, isInverse: false },
      });
      const flat = e.reshape(n.dy, [batch * frames, matrix.rows]);
      return framed(transposedAlong(e, flat, 1, matrix));
    };
    return [
      () => {
        const g = ofFrames();
        const windowed = n.has(2) ? e.mul(g, e.reshape(n.x(2), [length, 1])) : g;
        const joined = e.reshape(windowed, [batch, frames * length, parts]);
        return e.reshape(placeAlong(n, e, joined, 1, rows, size), n.x().shape);
      },
      null,
      () => {
        const signal = e.reshape(n.x(), [batch, size, parts]);
        const products = e.mul(ofFrames(), framed(e.gatherConstant(signal, rows, 1)));
        return e.reshape(e.reduceSum(products, [0, 1, 3]), [length]);
      },
    ];
  },
};

interface Transform {
  /** Entries along the axis of input and output, and numbers for each. */
  readonly samples: number;
  readonly frequencies: number;
  readonly parts: number;
  readonly outputParts: number;
  /** What the input is cut or filled up with zeros to: N of e^(2πi/N). */
  readonly length: number;
  readonly isInverse: boolean;
}

/** Elements of a transform's matrix: 2048 complex samples. */
const MOST_ELEMENTS = 2 ** 24;

/**
 * Rows (frequency, part), columns (sample, part). An inverse transform with real outputs has the first half of a Hermitian spectrum as input: all but
 * the first and the middle entry stand for two.
 */
function transformMatrix(n: RuleNode, transform: Transform): AxisMatrix {
  const { samples, frequencies, parts, outputParts, length, isInverse } = transform;
  const [rows, columns] = [frequencies * outputParts, samples * parts];
  if (rows * columns > MOST_ELEMENTS) n.refuse(`a transform of ${length} samples is too long here`);
  const values = new Float64Array(rows * columns);
  const isHalf = outputParts === 1;
  const sign = isInverse ? 1 : -1;
  for (let sample = 0; sample < Math.min(samples, isHalf ? length / 2 + 1 : length); sample++) {
    const isTwice = isHalf && sample !== 0 && 2 * sample !== length;
    const weight = (isTwice ? 2 : 1) / (isInverse ? length : 1);
    for (let frequency = 0; frequency < frequencies; frequency++) {
      const angle = (2 * Math.PI * ((frequency * sample) % length)) / length;
      const [cosine, sine] = [weight * Math.cos(angle), sign * weight * Math.sin(angle)];
      const terms = [
        [cosine, -sine],
        [sine, cosine],
      ];
      for (const [p, row] of terms.slice(0, outputParts).entries())
        for (const [q, value] of row.slice(0, parts).entries())
          values[(frequency * outputParts + p) * columns + sample * parts + q] = value;
    }
  }
  return { rows, columns, values };
}
