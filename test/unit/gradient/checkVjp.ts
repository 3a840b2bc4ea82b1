import { expect } from 'vitest';
import type { DataType } from '../../../protocol/model';
import type { GradientMode } from '../../../server/src/gradient/rule';
import type { Attribute, Model, TensorRef } from '../../../server/src/onnx/graph';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import { graphOf, modelOf, nodeOf, readSmall, valueOf } from '../shapes/smallGraphs';
import { directionalErrors, random, TOLERANCE } from './finiteDifferences';
import { elementCount, tensorOf } from './runtime';

/** A tensor of a case: its shape, and its values where they are not random numbers. */
export interface CaseTensor {
  readonly shape: readonly number[];
  readonly dtype?: DataType;
  readonly values?: readonly number[];
  /** Stored in the model instead of being fed. */
  readonly constant?: boolean;
  /** Random values lie between these (−1 and 1 by default). */
  readonly from?: number;
  readonly to?: number;
}

export interface VjpCase {
  readonly inputs: readonly (CaseTensor | null)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Outputs of the node; 1 by default. The first `differentiated` count. */
  readonly outputs?: number;
  /** Which output's weighted sum is differentiated; 0 by default. */
  readonly output?: number;
  readonly opset: number;
  readonly domain?: string;
  /** Opset of the domain. */
  readonly domainVersion?: number;
  /** Inputs whose gradient is checked; all fed float inputs by default. */
  readonly check?: readonly number[];
  /** Values that random inputs keep clear of (kinks), and how far: no step may cross one. */
  readonly avoid?: readonly number[];
  readonly mode?: GradientMode;
  readonly seed?: number;
}

function bytesOf(dtype: DataType, values: readonly number[]): Uint8Array {
  const { data } = tensorOf(dtype, [values.length], values);
  if (!ArrayBuffer.isView(data)) throw new Error('no text here');
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function valuesOf(tensor: CaseTensor, next: () => number, avoid: readonly number[]): number[] {
  if (tensor.values) return [...tensor.values];
  const { from = -1, to = 1 } = tensor;
  return Array.from({ length: elementCount(tensor.shape) }, () => {
    for (;;) {
      const value = from + (to - from) * next();
      if (avoid.every(point => Math.abs(value - point) > 0.15)) return value;
    }
  });
}

const isFloatType = (dtype: DataType | undefined): boolean =>
  dtype === undefined || dtype === 'float32' || dtype === 'float64';

/** A file that says only its IR version, 10: the rest is written by `editModel`. */
const HEADER = {
  source: { name: 'made.onnx', size: 2, read: () => Uint8Array.of(0x08, 10) },
  headerSpans: [{ offset: 0, length: 2 }],
};

/** A model of this one node; what is not constant is a graph input `x0`, `x1`, … */
export function oneNodeModel(
  op: string,
  given: VjpCase,
  values: readonly (readonly number[])[],
): Model {
  const names = given.inputs.map((input, i) => (input ? `x${i}` : ''));
  const outputs = Array.from({ length: given.outputs ?? 1 }, (_, i) => `y${i}`);
  const initializers = new Map<string, TensorRef>();
  given.inputs.forEach((input, i) => {
    if (!input?.constant) return;
    const dtype = input.dtype ?? 'float32';
    const bytes = bytesOf(dtype, values[i] ?? []);
    const name = `x${i}`;
    initializers.set(name, {
      name,
      dtype,
      shape: input.shape,
      location: { kind: 'bytes', bytes },
      span: null,
    });
  });
  const attributes = new Map(Object.entries(given.attributes ?? {}));
  const graph = graphOf({
    name: 'case',
    nodes: [nodeOf(0, op, names, outputs, attributes, { domain: given.domain ?? '' })],
    inputs: given.inputs.flatMap((input, i) =>
      input && !input.constant ? [valueOf(`x${i}`, input.dtype ?? 'float32', input.shape)] : [],
    ),
    outputs: outputs.map(name => valueOf(name, 'undefined', null)),
    initializers,
  });
  const model: Model = { ...modelOf(graph, given.opset), ...HEADER };
  return given.domain
    ? {
        ...model,
        opsets: new Map([
          ['', given.opset],
          [given.domain, given.domainVersion ?? 1],
        ]),
      }
    : { ...model, opsets: new Map([['', given.opset]]) };
}

/** Relative errors of the checked inputs' directional derivatives (see `directionalErrors`). */
export async function vjpErrors(op: string, given: VjpCase): Promise<number[]> {
  const next = random(given.seed ?? 1);
  const values = given.inputs.map(input => (input ? valuesOf(input, next, given.avoid ?? []) : []));
  const model = oneNodeModel(op, given, values);
  const checked =
    given.check ??
    given.inputs.flatMap((input, i) =>
      input && !input.constant && isFloatType(input.dtype) ? [i] : [],
    );
  const feeds = given.inputs.flatMap((input, i) =>
    input && !input.constant
      ? [[`x${i}`, tensorOf(input.dtype ?? 'float32', input.shape, values[i] ?? [])] as const]
      : [],
  );
  const errors = await directionalErrors({
    model,
    facts: inferValues(model, { readConstant: readSmall }),
    feeds: new Map(feeds),
    target: `y${given.output ?? 0}`,
    withRespectTo: checked.map(i => `x${i}`),
    mode: given.mode ?? 'gradient',
    next,
  });
  if (!errors.every(({ emitted }) => emitted)) throw new Error(`no gradient for an input of ${op}`);
  return errors.map(({ error }) => error);
}

/** Checks a rule against central differences (see `vjpErrors`). */
export async function checkVjp(op: string, given: VjpCase): Promise<void> {
  const errors = await vjpErrors(op, given);
  expect(errors.length).toBeGreaterThan(0);
  for (const error of errors) expect(error).toBeLessThan(TOLERANCE);
}
