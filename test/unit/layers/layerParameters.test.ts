import { expect, it } from 'vitest';
import { listLayers } from '../../../server/src/onnx/layers';
import { readModel } from '../../../server/src/onnx/readModel';
import { readTensor } from '../../../server/src/onnx/readTensor';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import { seededFloats, writeModel, type TensorInput } from '../../bench/onnxWriter';
import { MemorySource } from '../onnx/fixtures';

const HIDDEN = 5;
const INPUTS = 6;

/** Roles and count of a GRU whose initial state is this value. */
function gru(state: string, more: readonly TensorInput[]): readonly [readonly string[], number] {
  const stored = (name: string, shape: readonly number[]): TensorInput => ({
    name,
    shape,
    data: seededFloats(
      1,
      shape.reduce((a, b) => a * b, 1),
      1,
    ),
  });
  const model = readModel(
    new MemorySource(
      writeModel({
        nodes: [
          { op: 'Expand', inputs: ['zero', 'size'], outputs: ['expanded'] },
          { op: 'GRU', name: 'gru', inputs: ['x', 'W', 'R', 'B', '', state], outputs: ['y'] },
        ],
        inputs: [{ name: 'x', shape: [7, 1, INPUTS] }],
        outputs: [{ name: 'y', shape: null }],
        initializers: [
          stored('W', [1, 3 * HIDDEN, INPUTS]),
          stored('R', [1, 3 * HIDDEN, HIDDEN]),
          stored('B', [1, 6 * HIDDEN]),
          { name: 'zero', shape: [1, 1, 1], data: Float32Array.of(0) },
          {
            name: 'size',
            shape: [3],
            type: 'int64',
            data: new Uint8Array(BigInt64Array.of(1n, 1n, 5n).buffer),
          },
          ...more,
        ],
      }),
    ),
  );
  const readConstant = (ref: Parameters<typeof readTensor>[1]): ReturnType<typeof readTensor> =>
    readTensor(model, ref, () => {
      throw new Error('no external data here');
    });
  const { shapes } = inferValues(model, { readConstant });
  const [layer] = listLayers(model, shapes);
  return [layer?.parameters.map(({ role }) => role) ?? [], layer?.parameterCount ?? 0];
}

it('counts the weights of a GRU as PyTorch does: a state of computed zeros is none', () => {
  const weights = 3 * HIDDEN * INPUTS + 3 * HIDDEN * HIDDEN + 6 * HIDDEN;
  expect(gru('expanded', [])).toEqual([['weight', 'recurrence', 'bias'], weights]);
  const state = { name: 'h0', shape: [1, 1, HIDDEN], data: seededFloats(2, HIDDEN, 1) };
  expect(gru('h0', [state])).toEqual([
    ['weight', 'recurrence', 'bias', 'initial_h'],
    weights + HIDDEN,
  ]);
});
