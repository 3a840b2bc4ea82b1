import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  classCount,
  probabilities,
  scoreKind,
  topClasses,
} from '../../../server/src/methods/classScores';
import { firstComponent } from '../../../server/src/methods/principalComponent';
import { quantize } from '../../../server/src/methods/mapValues';
import { summarize } from '../../../server/src/methods/statistics';

interface References {
  readonly components: readonly { samples: number; rows: number[]; component: number[] }[];
  readonly summaries: readonly {
    values: number[];
    minimum: number;
    maximum: number;
    mean: number;
    variance: number;
    meanMagnitude: number;
  }[];
  readonly softmax: { logits: number[]; probabilities: number[] };
}

/** What NumPy gives, made by test/fixtures/methods/makeReferences.py. */
const references: References = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, '../../fixtures/methods/references.json'), 'utf8'),
);

describe('summarize', () => {
  it.each(references.summaries)('agrees with NumPy around mean $mean', reference => {
    const summary = summarize(reference.values.length, i => reference.values[i] ?? NaN);
    expect(summary.minimum).toBe(reference.minimum);
    expect(summary.maximum).toBe(reference.maximum);
    expect(summary.leftOut).toBe(0);
    for (const key of ['mean', 'variance', 'meanMagnitude'] as const)
      expect(Math.abs(summary[key] - reference[key])).toBeLessThan(
        1e-9 * Math.abs(reference[key]) + 1e-12,
      );
  });

  it('leaves out NaN and infinite values and counts them', () => {
    const values = [1, NaN, 3, Infinity, -Infinity];
    const summary = summarize(values.length, i => values[i] ?? NaN);
    expect(summary).toEqual({
      minimum: 1,
      maximum: 3,
      mean: 2,
      variance: 1,
      meanMagnitude: 2,
      leftOut: 3,
    });
    expect(summarize(1, () => NaN)).toMatchObject({ minimum: 0, maximum: 0, mean: 0, leftOut: 1 });
  });
});

describe('firstComponent', () => {
  it.each(references.components)(
    'agrees with the SVD of NumPy for $samples rows',
    ({ samples, rows, component }) => {
      const found = new Float32Array(component.length);
      firstComponent(Float64Array.from(rows), samples, found);
      // float32 storage and 100 rounds of power iteration: far below what a picture shows
      component.forEach((value, i) =>
        expect(Math.abs((found[i] ?? NaN) - value)).toBeLessThan(1e-4),
      );
    },
  );

  it('gives the same sign for the negated rows, and zeros for equal rows', () => {
    const rows = [3, 1, -3, -1, 6, 2, 0.5, 0];
    const [up, down, flat] = [new Float32Array(2), new Float32Array(2), new Float32Array(2)];
    firstComponent(Float64Array.from(rows), 4, up);
    firstComponent(
      Float64Array.from(rows, value => -value),
      4,
      down,
    );
    firstComponent(Float64Array.from([5, 0.1, 5, 0.1, 5, 0.1]), 3, flat);
    expect(down).toEqual(up);
    expect(Math.max(...up)).toBeGreaterThan(0.9);
    expect([...flat]).toEqual([0, 0]);
  });
});

describe('class scores', () => {
  it('gives the softmax of logits as NumPy does', () => {
    const { logits, probabilities: expected } = references.softmax;
    const scores = Float64Array.from(logits);
    expect(scoreKind(scores)).toBe('logits');
    probabilities(scores).forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 12));
    const order = expected.map((_, i) => i).sort((a, b) => (expected[b] ?? 0) - (expected[a] ?? 0));
    expect(topClasses(scores, 3).map(({ index }) => index)).toEqual(order.slice(0, 3));
  });

  it('takes probabilities and log-probabilities for what they are', () => {
    const { probabilities: chances } = references.softmax;
    expect(scoreKind(Float64Array.from(chances))).toBe('probabilities');
    const logs = Float64Array.from(chances, Math.log);
    expect(scoreKind(logs)).toBe('logProbabilities');
    probabilities(logs).forEach((value, i) => expect(value).toBeCloseTo(chances[i] ?? NaN, 12));
  });

  it('knows the shapes of class scores', () => {
    expect(classCount([1, 1000])).toBe(1000);
    expect(classCount([4, 10])).toBe(10);
    expect(classCount([1, 1000, 1, 1])).toBe(1000);
    expect(classCount([1, 21, 33, 33])).toBeNull();
    expect(classCount([1, 1])).toBeNull();
    expect(classCount([1, 4420, 2])).toBeNull();
  });

  it('puts NaN last and the lower index first among equals', () => {
    expect(topClasses(Float64Array.of(NaN, 2, 2, 1), 3).map(({ index }) => index)).toEqual([
      1, 2, 3,
    ]);
  });
});

describe('quantize', () => {
  it('maps the range to 0…255 within half a level', () => {
    const values = Float32Array.of(-2, -1, 0, 1, 2);
    const levels = new Uint8Array(5);
    const [minimum, maximum] = quantize(values, levels);
    expect([minimum, maximum]).toEqual([-2, 2]);
    values.forEach((value, i) => {
      const back = minimum + ((levels[i] ?? 0) / 255) * (maximum - minimum);
      expect(Math.abs(back - value)).toBeLessThanOrEqual((maximum - minimum) / 510 + 1e-12);
    });
  });

  it('keeps what is not finite apart', () => {
    const levels = new Uint8Array(4);
    expect(quantize(Float32Array.of(NaN, 1, 3, Infinity), levels)).toEqual([1, 3]);
    expect([...levels]).toEqual([0, 0, 255, 255]);
  });
});
