import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { openOnnx } from '../../../server/src/onnx/openOnnx';
import type { Model } from '../../../server/src/onnx/graph';

/** One case as makeModels.py wrote it. */
export interface OperatorCase {
  readonly name: string;
  readonly model: Model;
  /** By graph input; null where ONNX Runtime's JavaScript API has no tensor of that kind. */
  readonly inputs: ReadonlyMap<string, ort.Tensor | null>;
}

/** Names of the cases in a folder, sorted. */
export const caseNames = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter(file => file.endsWith('.onnx'))
    .map(file => file.slice(0, -'.onnx'.length))
    .sort();

export function readCase(folder: string, name: string): OperatorCase {
  const bytes = readFileSync(path.join(folder, `${name}.onnx`));
  const opened = openOnnx({
    name: `${name}.onnx`,
    size: bytes.length,
    read: (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
  });
  const graph = {
    ...opened.graph,
    // they hold for the inputs of the case alone
    outputs: opened.graph.outputs.map(output => ({ ...output, shape: null })),
  };
  const stored: StoredInputs = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8'));
  const inputs = graph.inputs.map((input, index) => {
    const value = stored.inputs[index] ?? null;
    const isTensor = input.container === undefined && value !== null;
    return [input.name, isTensor ? tensorOf(input.dtype, value) : null] as const;
  });
  return { name, model: { ...opened, graph }, inputs: new Map(inputs) };
}

interface StoredInputs {
  readonly inputs: readonly (StoredInput | null)[];
}

interface StoredInput {
  readonly shape: readonly number[];
  /** Little-endian elements in base64. */
  readonly data: string;
}

function tensorOf(dtype: string, { shape, data }: StoredInput): ort.Tensor | null {
  const { buffer } = new Uint8Array(Buffer.from(data, 'base64'));
  switch (dtype) {
    case 'float32':
      return new ort.Tensor('float32', new Float32Array(buffer), shape);
    case 'float64':
      return new ort.Tensor('float64', new Float64Array(buffer), shape);
    case 'int64':
      return new ort.Tensor('int64', new BigInt64Array(buffer), shape);
    case 'uint64':
      return new ort.Tensor('uint64', new BigUint64Array(buffer), shape);
    case 'int32':
      return new ort.Tensor('int32', new Int32Array(buffer), shape);
    case 'uint32':
      return new ort.Tensor('uint32', new Uint32Array(buffer), shape);
    case 'int16':
      return new ort.Tensor('int16', new Int16Array(buffer), shape);
    case 'uint16':
      return new ort.Tensor('uint16', new Uint16Array(buffer), shape);
    case 'int8':
      return new ort.Tensor('int8', new Int8Array(buffer), shape);
    case 'uint8':
      return new ort.Tensor('uint8', new Uint8Array(buffer), shape);
    case 'bool':
      return new ort.Tensor('bool', new Uint8Array(buffer), shape);
    default:
      return null;
  }
}
