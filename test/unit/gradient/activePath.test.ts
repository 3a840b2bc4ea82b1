import { expect, test } from 'vitest';
import { activePath } from '../../../server/src/gradient/activePath';
import { differentiate, missingFacts } from '../../../server/src/gradient/differentiate';
import type { Model, Node } from '../../../server/src/onnx/graph';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import { graphOf, modelOf, nodeOf, readSmall, valueOf } from '../shapes/smallGraphs';

/** y from x [2, 3] (and from `flags` [2, 3], bool). */
function modelWith(nodes: readonly Node[]): Model {
  const graph = graphOf({
    nodes,
    inputs: [valueOf('x', 'float32', [2, 3]), valueOf('flags', 'bool', [2, 3])],
    outputs: [valueOf('y', 'undefined', null)],
  });
  return modelOf(graph, 18);
}

const factsOf = (model: Model) => inferValues(model, { readConstant: readSmall });
const question = { target: 'y', withRespectTo: ['x'], mode: 'gradient' } as const;
const opsOnPath = (model: Model): readonly string[] =>
  activePath(model.graph, factsOf(model), ['x'], 'y').nodes.map(({ op }) => op);

test('the path holds what leads from one to the other through floats', () => {
  const model = modelWith([
    nodeOf(0, 'Relu', ['x'], ['a']),
    nodeOf(1, 'Shape', ['a'], ['sizes']),
    nodeOf(2, 'Sigmoid', ['x'], ['aside']),
    nodeOf(3, 'Reshape', ['a', 'sizes'], ['y']),
  ]);
  expect(opsOnPath(model)).toEqual(['Relu', 'Reshape']);
});

test('an example of a type leads nowhere', () => {
  const model = modelWith([
    nodeOf(0, 'CastLike', ['flags', 'x'], ['mask']),
    nodeOf(1, 'Mul', ['mask', 'x'], ['y']),
  ]);
  expect(opsOnPath(model)).toEqual(['Mul']);
});

test('an operator that nobody knows is asked for and refused, not passed over', () => {
  const model = modelWith([
    nodeOf(0, 'Strange', ['x'], ['a'], new Map(), { domain: 'custom' }),
    nodeOf(1, 'Relu', ['a'], ['y']),
  ]);
  const facts = factsOf(model);
  expect(missingFacts(model.graph, facts, question).shapes).toEqual(['y', 'a']);
  const shapes = new Map(
    ['x', 'a', 'y'].map(name => [name, valueOf(name, 'float32', [2, 3])] as const),
  );
  const derive = () =>
    differentiate(model, { ...facts, shapes }, question, (e, target) =>
      e.input('seed', target.dtype, target.shape),
    );
  expect(derive).toThrow(/No gradient through custom\.Strange/);
});

test('sequences are refused', () => {
  const model = modelWith([
    nodeOf(0, 'SequenceConstruct', ['x'], ['all']),
    nodeOf(1, 'OptionalGetElement', ['all'], ['a']),
    nodeOf(2, 'Relu', ['a'], ['y']),
  ]);
  const facts = factsOf(model);
  expect(missingFacts(model.graph, facts, question).shapes).not.toContain('all');
  const shapes = new Map([
    ...facts.shapes,
    ...['a', 'y'].map(name => [name, valueOf(name, 'float32', [2, 3])] as const),
  ]);
  const derive = () =>
    differentiate(model, { ...facts, shapes }, question, (e, target) =>
      e.input('seed', target.dtype, target.shape),
    );
  expect(derive).toThrow(/No gradient through OptionalGetElement/);
});
