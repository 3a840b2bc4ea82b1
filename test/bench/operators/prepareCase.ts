import type * as ort from 'onnxruntime-node';
import { prepare, type Prepared } from '../../../server/src/gradient/prepare';
import type { Model } from '../../../server/src/onnx/graph';
import { readTensor } from '../../../server/src/onnx/readTensor';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import { runWith, sessionFor } from '../../unit/gradient/runtime';
import type { Feeds } from './points';

/** The form of a case's model that is differentiated for these inputs, made as the engine makes it. */
export async function prepareCase(model: Model, feeds: Feeds): Promise<Prepared> {
  const shapes = new Map([...feeds].map(([name, { dims }]) => [name, [...dims]] as const));
  const read = (of: Model) => (ref: Parameters<typeof readTensor>[1]) =>
    readTensor(of, ref, location => {
      throw new Error(`${location}: cases have no external data`);
    });
  const infer = (of: Model, inputShapes: ReadonlyMap<string, readonly number[]>) =>
    inferValues(of, { readConstant: read(of), inputShapes });
  const facts = infer(model, shapes);
  const open = model.graph.nodes
    .filter(node => node.op === 'If')
    .map(node => node.inputs[0] ?? '')
    .filter(name => facts.elements(name) === null);
  return prepare(model, {
    inputs: shapes,
    conditions: await conditionsOf(model, feeds, [...new Set(open)]),
    infer,
    readTensor: read(model),
  });
}

async function conditionsOf(
  model: Model,
  feeds: Feeds,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const unfed = names.filter(name => !feeds.has(name));
  const run = unfed.length === 0 ? {} : await runWith(await sessionFor(model, unfed), feeds);
  return new Map(names.map(name => [name, truthOf(feeds.get(name) ?? run[name])]));
}

function truthOf(tensor: ort.Tensor | undefined): readonly number[] {
  if (tensor?.data instanceof Uint8Array) return Array.from(tensor.data);
  throw new Error('a condition is no tensor of truth values');
}
