import * as ort from 'onnxruntime-node';
import type { DataType } from '../../../protocol/model';
import { editModel } from '../../../server/src/onnx/editModel';
import type { Model } from '../../../server/src/onnx/graph';

export const elementCount = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A tensor of numbers. Types that ONNX Runtime's JavaScript API has no array for are none of a case. */
export function tensorOf(
  dtype: DataType,
  shape: readonly number[],
  values: readonly number[],
): ort.Tensor {
  switch (dtype) {
    case 'float64':
      return new ort.Tensor('float64', Float64Array.from(values), shape);
    case 'int64':
      return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
    case 'int32':
      return new ort.Tensor('int32', Int32Array.from(values), shape);
    case 'uint8':
      return new ort.Tensor('uint8', Uint8Array.from(values), shape);
    case 'bool':
      return new ort.Tensor('bool', Uint8Array.from(values), shape);
    case 'int8':
      return new ort.Tensor('int8', Int8Array.from(values), shape);
    default:
      return new ort.Tensor('float32', Float32Array.from(values), shape);
  }
}

/** The elements of a float tensor. */
export function floatsOf(tensor: ort.Tensor | undefined): Float32Array | Float64Array {
  const data: unknown = tensor?.data;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new Error(`no float tensor but ${tensor?.type}`);
}

/** A session that gives these tensors of a model. One thread: reductions of scatter operators are not the same twice with more. */
export async function sessionFor(
  model: Model,
  outputs: readonly string[],
): Promise<ort.InferenceSession> {
  const { bytes } = editModel(model, { outputs, keepOriginalOutputs: false, truncate: true });
  return ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: 'basic',
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
}

/** Runs a session with those of the tensors that it wants. */
export function runWith(
  session: ort.InferenceSession,
  tensors: ReadonlyMap<string, ort.Tensor>,
): Promise<ort.InferenceSession.OnnxValueMapType> {
  const wanted = [...tensors].filter(([name]) => session.inputNames.includes(name));
  return session.run(Object.fromEntries(wanted));
}

/** The element type by this project's name, which ONNX Runtime shares for the types that cases are made of. */
export function typeOf(tensor: ort.Tensor | undefined): DataType {
  switch (tensor?.type) {
    case 'float32':
    case 'float64':
    case 'int64':
    case 'int32':
    case 'int16':
    case 'int8':
    case 'uint8':
    case 'uint16':
    case 'bool':
      return tensor.type;
    default:
      return 'undefined';
  }
}
