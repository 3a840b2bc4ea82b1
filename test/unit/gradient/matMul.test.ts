import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../server/src/gradient/differentiate';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import { readSmall } from '../shapes/smallGraphs';
import { attributesOf } from './attributes';
import { checkVjp, oneNodeModel } from './checkVjp';

const SHAPES = [
  [
    [3, 4],
    [4, 5],
  ],
  [
    [2, 3, 4],
    [4, 5],
  ],
  [
    [2, 6, 3, 4],
    [2, 6, 4, 5],
  ],
  [
    [3, 4],
    [2, 4, 5],
  ],
  [
    [2, 1, 3, 4],
    [6, 4, 5],
  ],
  [
    [6, 3, 4],
    [2, 1, 4, 5],
  ],
  [[4], [4]],
  [[4], [4, 5]],
  [[4], [2, 4, 5]],
  [[3, 4], [4]],
  [[2, 3, 4], [4]],
] as const;

describe('MatMul', () => {
  test.each(SHAPES)('of %j and %j', async (a, b) => {
    for (const opset of [7, 13])
      await checkVjp('MatMul', { opset, inputs: [{ shape: a }, { shape: b }] });
  });
  test.each([[[2, 3, 4]], [[3, 4]]])('%j times a constant goes back by one product', shape => {
    const given = { opset: 13, inputs: [{ shape }, { shape: [4, 5], constant: true }] };
    const model = oneNodeModel('MatMul', given, [[], [...Array(20).keys()]]);
    const facts = inferValues(model, { readConstant: readSmall });
    const question = { target: 'y0', withRespectTo: ['x0'], mode: 'gradient' } as const;
    const { e } = differentiate(model, facts, question, emit =>
      emit.input('seed', 'float32', [...shape.slice(0, -1), 5]),
    );
    // ONNX Runtime transposes the constant when it loads the model
    expect(e.nodes.map(node => node.op)).toEqual(['Transpose', 'MatMul']);
  });
  test('in float64, and with a constant', async () => {
    const wide = { shape: [2, 3, 3], dtype: 'float64' } as const;
    await checkVjp('MatMul', { opset: 13, inputs: [wide, wide] });
    const weight = { shape: [4, 5], constant: true };
    await checkVjp('MatMul', { opset: 13, inputs: [{ shape: [2, 3, 4] }, weight] });
  });
});
describe('com.microsoft.FusedMatMul', () => {
  const microsoft = { opset: 17, domain: 'com.microsoft' };
  test.each([
    [[2, 4, 3], [2, 4, 5], { transA: 1 }],
    [[2, 3, 4], [5, 4], { transB: 1, alpha: 0.5 }],
    [[4, 3], [2, 5, 4], { transA: 1, transB: 1, alpha: 1.5 }],
    [[4], [4, 5], { transA: 1 }],
  ])('of %j and %j with %j', (a, b, plain) =>
    checkVjp('FusedMatMul', {
      ...microsoft,
      inputs: [{ shape: a }, { shape: b }],
      attributes: attributesOf(plain),
    }),
  );
});
