import { describe, expect, test } from 'vitest';
import { describeConstant, resolveConstant } from '../../../server/src/onnx/constants';
import type { Graph } from '../../../server/src/onnx/graph';
import { toFloat64 } from '../../../server/src/onnx/numbers';
import { describeShared } from '../../shared';
import { expectedOf, fixturePath, numbersOf, withModel } from './fixtures';

const failing = (): never => {
  throw new Error('bytes were read');
};

describe('constants', () => {
  test('every chain gives what ONNX Runtime computes', async () => {
    const expected = expectedOf('constants.json');
    await withModel(fixturePath('constants.onnx'), ({ model }, read) => {
      expect(expected.size).toBe(27);
      for (const [name, { shape, values }] of expected) {
        const constant = resolveConstant(model, model.graph, name, read);
        if (!constant) throw new Error(`${name} is not constant`);
        expect([name, constant.shape]).toEqual([name, shape]);
        expect([name, Array.from(toFloat64(constant.tensor))]).toEqual([name, numbersOf(values)]);
        const info = describeConstant(model, model.graph, name, read);
        expect([name, info?.shape, info?.dtype]).toEqual([name, shape, constant.tensor.dtype]);
      }
    });
  });

  test('64-bit sentinels keep their sign and stay integers', async () => {
    await withModel(fixturePath('constants.onnx'), ({ model }, read) => {
      const ints = resolveConstant(model, model.graph, 'ints', read);
      expect(ints?.tensor.data).toEqual(BigInt64Array.of(1n, 2n ** 63n - 1n, -5n));
    });
  });

  test('describes without reading', async () => {
    await withModel(fixturePath('constants.onnx'), ({ model }) => {
      expect(describeConstant(model, model.graph, 'there_and_back')).toEqual({
        name: 'there_and_back',
        origin: 'weight',
        storedDtype: 'float32',
        dtype: 'float32',
        shape: [4, 6],
        steps: ['QuantizeLinear', 'DequantizeLinear'],
        notes: ['Dequantised from uint8, with one scale.'],
      });
      const blocked = describeConstant(model, model.graph, 'blocked');
      expect(blocked).toMatchObject({
        origin: 'int8',
        storedDtype: 'int8',
        dtype: 'float32',
        notes: ['Dequantised from int8, in blocks of 3.'],
      });
      expect(describeConstant(model, model.graph, 'reshaped')?.shape).toBeNull();
      // of two operands the larger one is the weight
      expect(describeConstant(model, model.graph, 'product')?.origin).toBe('weight');
      expect(describeConstant(model, model.graph, 'variable')).toBeNull();
      expect(describeConstant(model, model.graph, 'x')).toBeNull();
      expect(describeConstant(model, model.graph, 'nothing')).toBeNull();
    });
  });

  test('a subgraph sees the constants around it, not the variables', async () => {
    await withModel(fixturePath('subgraphs.onnx'), ({ model }, read) => {
      const choice = model.graph.nodes.find(node => node.op === 'If');
      const branch = choice?.attributes.get('else_branch');
      const other: Graph | null = branch?.kind === 'graph' ? branch.value : null;
      if (!other) throw new Error('the branch is not there');
      expect(resolveConstant(model, other, 'captured', read)?.shape).toEqual([20, 20]);
      expect(resolveConstant(model, other, 'own', read)?.tensor.data[0]).toBe(2);
      expect(describeConstant(model, other, 'doubled')).toBeNull();
      expect(describeConstant(model, model.graph, 'own')).toBeNull();
    });
  });

  test('circles end', async () => {
    await withModel(fixturePath('constants.onnx'), ({ model }) => {
      const [node] = model.graph.nodes;
      if (!node) throw new Error('no node');
      const step = (from: string, to: string): Graph['nodes'][number] => ({
        ...node,
        op: 'Mul',
        inputs: [from, from],
        outputs: [to],
        attributes: new Map(),
      });
      const circle = { ...model.graph, nodes: [step('a', 'b'), step('b', 'a')] };
      expect(describeConstant({ ...model, graph: circle }, circle, 'a', failing)).toBeNull();
      // each doubles the use of the one before: 2^40 ways, one look at each
      const ladder = Array.from({ length: 40 }, (_, index) =>
        step(index === 0 ? 'scales6' : `m${index - 1}`, `m${index}`),
      );
      const wide = { ...model.graph, nodes: ladder };
      const info = describeConstant({ ...model, graph: wide }, wide, 'm39', failing);
      expect(info).toMatchObject({ origin: 'scales6', shape: [6] });
    });
  });
});

describeShared('weights behind operators', dir => {
  test.each([
    ['light_densenet121.onnx', 'Conv', 121],
    ['ort_conv_int4_weights_qdq.onnx', 'Conv', 1],
    ['ort_conv_qdq_s8s8_perchannel.onnx', 'Conv', 1],
    ['ch_PP-OCRv4_det_infer.onnx', 'Conv', 62],
    ['ch_PP-OCRv4_rec_infer.onnx', 'Conv', 38],
    ['ultraface_rfb320.onnx', 'Conv', 52],
    ['squeezenet_fp16.onnx', 'Conv', 26],
  ])('%s: every weight of %s is found', async (file, op, count) => {
    await withModel(`${dir}/models/${file}`, ({ model }, read) => {
      const shapes = model.graph.nodes
        .filter(node => node.op === op)
        .map(node => describeConstant(model, model.graph, node.inputs[1] ?? '', read)?.shape);
      expect(shapes).toHaveLength(count);
      for (const shape of shapes) expect(shape).toHaveLength(4);
    });
  });
});
