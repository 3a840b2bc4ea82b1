import { expect, test } from 'vitest';
import { codeOf } from '../../../../server/src/onnx/dataTypes';
import type { Attribute, Graph, Model, Node, TensorRef } from '../../../../server/src/onnx/graph';
import { halfFromFloat } from '../../../../server/src/onnx/numbers';
import type { Tensor } from '../../../../server/src/onnx/tensor';
import { graphOf, nodeOf, valueOf } from '../../shapes/smallGraphs';
import { difference, madeModel, normalOf, numeric, run } from './written';

const halves = (
  name: string,
  shape: readonly number[],
  values: readonly number[],
  dtype: 'float16' | 'bfloat16' = 'float16',
): TensorRef => {
  // bfloat16 is the upper half of a float32
  const bits =
    dtype === 'float16'
      ? Uint16Array.from(values, halfFromFloat)
      : new Uint16Array(Float32Array.from(values).buffer).filter((_, i) => i % 2 === 1);
  return {
    name,
    dtype,
    shape,
    location: { kind: 'bytes', bytes: new Uint8Array(bits.buffer) },
    span: null,
  };
};
const attributes = (given: Readonly<Record<string, Attribute>>) => new Map(Object.entries(given));
const code = (dtype: 'float16' | 'bfloat16'): Attribute => ({ kind: 'int', value: codeOf(dtype) });

const X = [0.5, -1.25, 2, 0.125, 3, -0.75];
const half: Tensor = { dtype: 'float16', shape: [2, 3], data: Uint16Array.from(X, halfFromFloat) };
const single: Tensor = { dtype: 'float32', shape: [2, 3], data: Float32Array.from(X) };

function modelOf(
  nodes: readonly Node[],
  parts: Partial<Graph> = {},
  type: 'float16' | 'bfloat16' = 'float16',
): Model {
  return madeModel(
    graphOf({
      name: 'main',
      nodes,
      inputs: [valueOf('x', type, [2, 3])],
      outputs: [valueOf('y', type, null)],
      ...parts,
    }),
    16,
  );
}

/** No 16-bit float is left but stored ones, each behind a Cast; the values are those of the 16-bit model. */
async function checkSame(model: Model, more: Readonly<Record<string, Tensor>> = {}): Promise<void> {
  const { model: wide, changed } = normalOf(model, { x: half, ...more });
  expect(changed).toBe(true);
  expect([...wide.graph.inputs, ...wide.graph.outputs].map(({ dtype }) => dtype)).not.toContain(
    'float16',
  );
  const [expected] = await run(model, { x: half, ...more }, ['y']);
  const [got] = await run(wide, { x: single, ...more }, ['y']);
  expect([expected?.type, got?.type]).toEqual(['float16', 'float32']);
  const bits = numeric(expected);
  const values = numeric(got);
  // half a step of float16 is 2⁻¹¹ of a value; a few operators round one after the other
  expect(difference(values, bits.map(floatOf))).toBeLessThan(5e-3);
}

/** The value of the bits of a float16 (IEEE 754). */
function floatOf(bits: number): number {
  const [sign, exponent, mantissa] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

test('stored tensors and Constants are cast behind, types in attributes changed', async () => {
  const nodes = [
    nodeOf(
      0,
      'Constant',
      [],
      ['c'],
      attributes({ value: { kind: 'tensor', value: halves('', [3], [1, 2, 4]) } }),
    ),
    nodeOf(1, 'MatMul', ['x', 'w'], ['m']),
    nodeOf(2, 'Mul', ['m', 'c'], ['scaled']),
    nodeOf(3, 'Shape', ['x'], ['size']),
    nodeOf(
      4,
      'ConstantOfShape',
      ['size'],
      ['filled'],
      attributes({ value: { kind: 'tensor', value: halves('', [1], [0.5]) } }),
    ),
    nodeOf(5, 'Add', ['scaled', 'filled'], ['sum']),
    nodeOf(6, 'Cast', ['sum'], ['wide'], attributes({ to: { kind: 'int', value: 1 } })),
    nodeOf(7, 'Cast', ['wide'], ['narrow'], attributes({ to: code('float16') })),
    nodeOf(8, 'EyeLike', ['x'], ['eye'], attributes({ dtype: code('float16') })),
    nodeOf(9, 'Add', ['narrow', 'eye'], ['y']),
  ];
  const w = halves('w', [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 0.1]);
  const model = modelOf(nodes, {
    initializers: new Map([['w', w]]),
    overridable: new Set(['w']),
    valueInfo: new Map([['m', valueOf('m', 'float16', [2, 3])]]),
  });
  await checkSame(model);
  const { graph } = normalOf(model, { x: half }).model;
  expect([...graph.initializers]).toEqual([['w/half', { ...w, name: 'w/half' }]]);
  expect(graph.overridable.size).toBe(0);
  const names = graph.nodes.flatMap(node => node.outputs);
  expect(names).toEqual(
    expect.arrayContaining(['w', 'c', 'm', 'filled', 'wide', 'narrow', 'eye', 'y']),
  );
});

test('an initializer or a Constant that is the output stays it', async () => {
  const { model } = normalOf(
    modelOf([
      nodeOf(
        0,
        'Constant',
        [],
        ['y'],
        attributes({ value: { kind: 'tensor', value: halves('', [2], [1.5, -2]) } }),
      ),
    ]),
    { x: half },
  );
  expect(numeric((await run(model, {}, ['y']))[0])).toEqual([1.5, -2]);
});

test('graphs inside nodes change too', async () => {
  const side = (op: string): Graph =>
    graphOf({
      name: 'side',
      nodes: [
        nodeOf(
          0,
          'Constant',
          [],
          [`${op}c`],
          attributes({ value: { kind: 'tensor', value: halves('', [3], [1, 2, 4]) } }),
        ),
        nodeOf(1, op, ['x', `${op}c`], [`${op}r`]),
        nodeOf(2, 'Mul', [`${op}r`, `${op}w`], [`${op}o`]),
      ],
      outputs: [valueOf(`${op}o`, 'float16', [2, 3])],
      initializers: new Map([[`${op}w`, halves(`${op}w`, [1], [3])]]),
    });
  const branches = attributes({
    then_branch: { kind: 'graph', value: side('Add') },
    else_branch: { kind: 'graph', value: side('Sub') },
  });
  const model = modelOf([nodeOf(0, 'If', ['told'], ['y'], branches)], {
    inputs: [valueOf('x', 'float16', [2, 3]), valueOf('told', 'bool', [])],
  });
  for (const told of [0, 1])
    await checkSame(model, { told: { dtype: 'bool', shape: [], data: Uint8Array.of(told) } });
});

test('bfloat16 likewise, which ONNX Runtime cannot run here as it is', async () => {
  const model = modelOf(
    [nodeOf(0, 'Mul', ['x', 'w'], ['y'])],
    { initializers: new Map([['w', halves('w', [3], [1, -2, 0.5], 'bfloat16')]]) },
    'bfloat16',
  );
  const { model: wide } = normalOf(model, { x: single });
  expect(numeric((await run(wide, { x: single }, ['y']))[0])).toEqual(
    X.map((value, i) => value * ([1, -2, 0.5][i % 3] ?? NaN)),
  );
});

test('a model of float32 stays the same object', () => {
  const model = modelOf([nodeOf(0, 'Relu', ['x'], ['y'])], {
    inputs: [valueOf('x', 'float32', [2, 3])],
    outputs: [valueOf('y', 'float32', null)],
  });
  expect(normalOf(model, { x: single })).toEqual({ model, approximate: null, changed: false });
  expect(normalOf(model, { x: single }).model).toBe(model);
});
