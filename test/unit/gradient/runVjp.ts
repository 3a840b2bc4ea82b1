import * as ort from 'onnxruntime-node';
import { differentiate, withEmitted } from '../../../server/src/gradient/differentiate';
import type { Value } from '../../../server/src/gradient/value';
import { editModel } from '../../../server/src/onnx/editModel';
import type { Model } from '../../../server/src/onnx/graph';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import { readSmall } from '../shapes/smallGraphs';
import { type CaseTensor, oneNodeModel, type VjpCase } from './checkVjp';

const valuesOf = (given: VjpCase) => given.inputs.map(input => input?.values ?? []);

/** Output 0 of a node whose float32 input values are all given. */
export const runNode = (op: string, given: VjpCase): Promise<readonly number[]> =>
  run(oneNodeModel(op, given, valuesOf(given)), 'y0', given, new Map());

/**
 * The gradient of Σ seed · output with respect to input 0, for a case whose values are all given. For what differences cannot tell: ties, integers.
 */
export function runVjp(
  op: string,
  given: VjpCase,
  seed: readonly number[],
): Promise<readonly number[]> {
  const model = oneNodeModel(op, given, valuesOf(given));
  const target = `y${given.output ?? 0}`;
  const facts = inferValues(model, { readConstant: readSmall });
  const fed: Value[] = [];
  const { e, gradients } = differentiate(
    model,
    facts,
    { target, withRespectTo: ['x0'], mode: given.mode ?? 'gradient' },
    (emit, { shape }) => {
      const input = emit.input('seed', 'float32', shape);
      fed.push(input);
      return input;
    },
  );
  const seeds = fed.map(({ name, shape }) => [name, { shape, values: seed }] as const);
  const wanted = gradients.get('x0')?.name ?? '';
  return run(withEmitted(model, e, fed), wanted, given, new Map(seeds));
}

async function run(
  model: Model,
  wanted: string,
  given: VjpCase,
  more: ReadonlyMap<string, CaseTensor>,
): Promise<readonly number[]> {
  const { bytes } = editModel(model, {
    outputs: [wanted],
    keepOriginalOutputs: false,
    truncate: true,
  });
  const session = await ort.InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  const fed = new Map(more);
  given.inputs.forEach((input, i) => {
    if (input && !input.constant) fed.set(`x${i}`, input);
  });
  const feeds = [...fed]
    .filter(([name]) => session.inputNames.includes(name))
    .map(([name, tensor]) => [name, tensorOf(tensor)] as const);
  const result = await session.run(Object.fromEntries(feeds));
  const data: unknown = result[wanted]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`${wanted} is not float32`);
  return [...data];
}

function tensorOf({ dtype, values = [], shape }: CaseTensor): ort.Tensor {
  if (dtype === 'int8') return new ort.Tensor('int8', Int8Array.from(values), shape);
  if (dtype === 'uint8') return new ort.Tensor('uint8', Uint8Array.from(values), shape);
  return new ort.Tensor('float32', Float32Array.from(values), shape);
}
