import { expect, test } from 'vitest';
import { normalize } from '../../../../server/src/gradient/normalize';
import type { Graph, Model, Node, TensorRef } from '../../../../server/src/onnx/graph';
import { readTensor } from '../../../../server/src/onnx/readTensor';
import { inferValues } from '../../../../server/src/onnx/shapes/inferShapes';
import type { Tensor } from '../../../../server/src/onnx/tensor';
import { graphOf, nodeOf, valueOf } from '../../shapes/smallGraphs';
import { difference, madeModel, numeric, refOf, run } from './written';

const stored = (name: string, ...values: number[]): TensorRef =>
  refOf(name, { shape: [values.length] }, values);
const held = (...tensors: TensorRef[]) => new Map(tensors.map(tensor => [tensor.name, tensor]));

function branch(
  nodes: readonly Node[],
  outputs: readonly string[],
  ...tensors: TensorRef[]
): Graph {
  return graphOf({
    name: 'branch',
    nodes,
    outputs: outputs.map(name => valueOf(name, 'float32', null)),
    initializers: held(...tensors),
  });
}

const conditional = (
  index: number,
  condition: string,
  outputs: readonly string[],
  then: Graph,
  otherwise: Graph,
  name = '',
): Node =>
  nodeOf(
    index,
    'If',
    [condition],
    outputs,
    new Map([
      ['then_branch', { kind: 'graph', value: then }],
      ['else_branch', { kind: 'graph', value: otherwise }],
    ]),
    { name },
  );

const BOOLS = { yes: 1, no: 0 } as const;

/** y and z from x [3] and conditions `yes`, `no` (constants) and `told` (fed). */
function modelWith(nodes: readonly Node[]): Model {
  const bools = Object.entries(BOOLS).map(([name, value]) =>
    refOf(name, { shape: [], dtype: 'bool' }, [value]),
  );
  return madeModel(
    graphOf({
      name: 'main',
      nodes,
      inputs: [valueOf('x', 'float32', [3]), valueOf('told', 'bool', [])],
      outputs: ['y', 'z'].map(name => valueOf(name, 'float32', null)),
      initializers: held(...bools, stored('k', 5, 6, 7)),
    }),
    16,
  );
}

const feeds = (told: number): Readonly<Record<string, Tensor>> => ({
  x: { dtype: 'float32', shape: [3], data: Float32Array.of(1, -2, 3) },
  told: { dtype: 'bool', shape: [], data: Uint8Array.of(told) },
});

/** Conditions of the Ifs that are left, after a run for an input told the value of `told`. */
async function checkSame(nodes: readonly Node[], told: number | null): Promise<readonly string[]> {
  const model = modelWith(nodes);
  const read = (ref: TensorRef): Tensor =>
    readTensor(model, ref, () => {
      throw new Error('no external data');
    });
  const { shapes, elements } = inferValues(model, { readConstant: read });
  const normal = normalize(
    model,
    { shapes, elements: name => (name === 'told' && told !== null ? [told] : elements(name)) },
    read,
  );
  for (const value of told === null ? [0, 1] : [told]) {
    const expected = await run(model, feeds(value), ['y', 'z']);
    const got = await run(normal.model, feeds(value), ['y', 'z']);
    expected.forEach((tensor, i) => expect(difference(numeric(tensor), numeric(got[i]))).toBe(0));
  }
  const { graph } = normal.model;
  expect(graph.nodes.map(node => node.index)).toEqual(graph.nodes.map((_, i) => i));
  expect(normal.changed).toBe(normal.model !== model);
  return graph.nodes.filter(node => node.op === 'If').map(node => node.inputs[0] ?? '');
}

const add = branch(
  [
    nodeOf(0, 'Add', ['x', 'w'], ['sum'], new Map(), { name: 'add' }),
    nodeOf(1, 'Mul', ['sum', 'k'], ['product']),
  ],
  ['sum', 'product'],
  stored('w', 1, 2, 3),
);
const sub = branch(
  [
    nodeOf(0, 'Sub', ['x', 'w'], ['sum'], new Map(), { name: 'add' }),
    nodeOf(1, 'Mul', ['sum', 'sum'], ['product']),
  ],
  ['sum', 'product'],
  stored('w', 4, 5, 6),
);

test('takes the branch that a constant picks, with its names made unique', async () => {
  expect(await checkSame([conditional(0, 'yes', ['y', 'z'], add, sub)], 0)).toEqual([]);
  expect(await checkSame([conditional(0, 'no', ['y', 'z'], add, sub)], 0)).toEqual([]);
  // the same branch twice: names would clash
  const twice = [
    conditional(0, 'yes', ['a', 'b'], add, sub, 'if'),
    conditional(1, 'yes', ['c', 'd'], add, sub, 'if_2'),
    nodeOf(2, 'Add', ['a', 'c'], ['y']),
    nodeOf(3, 'Add', ['b', 'd'], ['z']),
  ];
  expect(await checkSame(twice, 0)).toEqual([]);
});

test('takes what a run told, and leaves what is open', async () => {
  expect(await checkSame([conditional(0, 'told', ['y', 'z'], add, sub)], 1)).toEqual([]);
  expect(await checkSame([conditional(0, 'told', ['y', 'z'], add, sub)], null)).toEqual(['told']);
});

test('copies outputs that no node of the branch makes', async () => {
  const negated = [nodeOf(0, 'Neg', ['x'], ['minus'])];
  const passing = branch(negated, ['minus', 'w'], stored('w', 4, 5, 6));
  expect(await checkSame([conditional(0, 'yes', ['y', 'z'], passing, sub)], 0)).toEqual([]);
});

test('resolves nested Ifs by conditions from anywhere, and keeps those that are open', async () => {
  const side = (op: string): Graph =>
    branch([nodeOf(0, op, ['w', 'k'], ['v']), nodeOf(1, 'Identity', ['w'], ['u'])], ['v', 'u']);
  const inner = (condition: string): Graph =>
    branch(
      [
        nodeOf(0, 'Neg', ['x'], ['w']),
        conditional(1, condition, ['p', 'q'], side('Add'), side('Sub')),
      ],
      ['p', 'q'],
    );
  for (const condition of ['yes', 'no', 'told'])
    expect(await checkSame([conditional(0, 'yes', ['y', 'z'], inner(condition), sub)], 1)).toEqual(
      [],
    );
  expect(await checkSame([conditional(0, 'yes', ['y', 'z'], inner('told'), sub)], null)).toEqual([
    'told',
  ]);
  expect(await checkSame([conditional(0, 'told', ['y', 'z'], inner('yes'), sub)], null)).toEqual([
    'told',
  ]);
});

test('works out conditions inside a branch', async () => {
  const counts = branch(
    [
      nodeOf(0, 'Size', ['x'], ['size']),
      nodeOf(1, 'Equal', ['size', 'three'], ['condition']),
      conditional(2, 'condition', ['p', 'q'], add, sub),
    ],
    ['p', 'q'],
    refOf('three', { shape: [], dtype: 'int64' }, [3]),
  );
  expect(await checkSame([conditional(0, 'yes', ['y', 'z'], counts, sub)], 0)).toEqual([]);
});

test('renames what graphs inside a branch take from it', async () => {
  const body = graphOf({
    name: 'body',
    nodes: [
      nodeOf(0, 'Add', ['state', 'w'], ['total']),
      nodeOf(1, 'Mul', ['total', 'sum'], ['next']),
      nodeOf(2, 'Identity', ['go'], ['on']),
    ],
    inputs: [
      valueOf('i', 'int64', []),
      valueOf('go', 'bool', []),
      valueOf('state', 'float32', [3]),
    ],
    outputs: [valueOf('on', 'bool', []), valueOf('next', 'float32', [3])],
  });
  const looping = branch(
    [
      nodeOf(0, 'Neg', ['x'], ['sum']),
      nodeOf(
        1,
        'Loop',
        ['count', '', 'sum'],
        ['p'],
        new Map([['body', { kind: 'graph', value: body }]]),
      ),
      nodeOf(2, 'Add', ['sum', 'p'], ['q']),
    ],
    ['p', 'q'],
    stored('w', 1, 2, 3),
    refOf('count', { shape: [], dtype: 'int64' }, [2]),
  );
  expect(await checkSame([conditional(0, 'yes', ['y', 'z'], looping, sub)], 0)).toEqual([]);
});
