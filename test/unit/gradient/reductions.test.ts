import { describe, expect, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';
import { runVjp } from './runVjp';

/** Operator and range of x. */
const REDUCTIONS: readonly (readonly [string, number, number])[] = [
  ['ReduceSum', -1, 1],
  ['ReduceMean', -1, 1],
  ['ReduceProd', 0.5, 1.5],
  ['ReduceL1', 0.3, 1],
  ['ReduceL2', -1, 1],
  ['ReduceLogSum', 0.5, 2],
  ['ReduceLogSumExp', -1, 1],
  ['ReduceSumSquare', -1, 1],
  ['ReduceMax', 0, 0],
  ['ReduceMin', 0, 0],
];

/** Values of which no two come close, for the operators with kinks. */
const apart = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => ((i * 7) % count) / 3 - 2);

const tensor = (shape: readonly number[], from: number, to: number) => ({
  shape,
  from,
  to,
  ...(from === to ? { values: apart(shape.reduce((a, b) => a * b, 1)) } : {}),
});

describe.each(REDUCTIONS)('%s', (op, from, to) => {
  const x = tensor([2, 3, 4], from, to);
  const inputSince = op === 'ReduceSum' ? 13 : 18;

  test.each([7, 12, 13, 18, 20])('at opset %i', async opset => {
    for (const [axes, keepdims] of [
      [[1], 1],
      [[-1, 0], 0],
      [[2], 0],
    ] as const) {
      const given = { shape: [axes.length], dtype: 'int64', values: axes, constant: true } as const;
      if (opset >= inputSince)
        await checkVjp(op, { opset, inputs: [x, given], attributes: attributesOf({ keepdims }) });
      else if (opset >= 11 || axes.every(axis => axis >= 0))
        await checkVjp(op, { opset, inputs: [x], attributes: attributesOf({ axes, keepdims }) });
    }
    await checkVjp(op, { opset, inputs: [x] });
    await checkVjp(op, { opset, inputs: [x], attributes: attributesOf({ keepdims: 0 }) });
  });

  test('of a tensor without elements', () =>
    checkVjp(op, {
      opset: 20,
      inputs: [{ shape: [2, 0, 3] }, { shape: [1], dtype: 'int64', values: [1] }],
    }));

  test('of a scalar, of nothing and in float64', async () => {
    await checkVjp(op, { opset: 18, inputs: [tensor([], from, to)] });
    await checkVjp(op, {
      opset: 18,
      inputs: [x],
      attributes: attributesOf({ noop_with_empty_axes: 1 }),
    });
    const empty = { shape: [0], dtype: 'int64', values: [], constant: true } as const;
    await checkVjp(op, {
      opset: 18,
      inputs: [x, empty],
      attributes: attributesOf({ keepdims: 0 }),
    });
    await checkVjp(op, { opset: 18, inputs: [{ ...x, dtype: 'float64' }] });
  });
});

describe.each([7, 13, 18])('special values at opset %i', opset => {
  const along = (...values: number[]) => ({ opset, inputs: [{ shape: [values.length], values }] });
  test('equal extremes share evenly', async () => {
    expect(await runVjp('ReduceMax', along(1, 4, 4, 0), [1])).toEqual([0, 0.5, 0.5, 0]);
    expect(await runVjp('ReduceMin', along(1, 0, 4, 0), [1])).toEqual([0, 0.5, 0, 0.5]);
  });
  test('products with zeros', async () => {
    expect(await runVjp('ReduceProd', along(2, 3, 5), [1])).toEqual([15, 10, 6]);
    expect(await runVjp('ReduceProd', along(2, 0, 5, 3, 1), [1])).toEqual([0, 30, 0, 0, 0]);
    expect(await runVjp('ReduceProd', along(0, 0, 5), [1])).toEqual([0, 0, 0]);
    expect(await runVjp('ReduceProd', along(7), [1])).toEqual([1]);
  });
  test('norms of zeros', async () => {
    expect(await runVjp('ReduceL2', along(0, 0), [1])).toEqual([0, 0]);
    expect(await runVjp('ReduceL1', along(0, -2), [1])).toEqual([0, -1]);
  });
});
