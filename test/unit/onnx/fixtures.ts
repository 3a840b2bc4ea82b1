import fs from 'node:fs';
import path from 'node:path';
import { openModelFile, type ModelFile } from '../../../server/src/files/modelFile';
import type { ByteSource, TensorRef } from '../../../server/src/onnx/graph';
import { readTensor } from '../../../server/src/onnx/readTensor';
import type { Tensor } from '../../../server/src/onnx/tensor';

/** The models that make.py wrote. */
export const fixtureDir = path.resolve(import.meta.dirname, '../../fixtures/onnx');

export const fixturePath = (name: string): string => path.join(fixtureDir, name);

/** Opens a model, gives it to `use`, and closes it. */
export async function withModel(
  file: string,
  use: (opened: ModelFile, read: (ref: TensorRef) => Tensor) => Promise<void> | void,
): Promise<void> {
  const opened = openModelFile(file);
  try {
    await use(opened, ref => readTensor(opened.model, ref, opened.external));
  } finally {
    opened.dispose();
  }
}

/** Bytes in memory as a source; counts what is read. */
export class MemorySource implements ByteSource {
  bytesRead = 0;
  readonly size: number;

  constructor(
    private readonly bytes: Uint8Array,
    readonly name = 'model.onnx',
  ) {
    this.size = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size)
      throw new Error(`read of ${length} bytes at ${offset} of ${this.size}`);
    this.bytesRead += length;
    return this.bytes.subarray(offset, offset + length);
  }
}

export interface ExpectedValues {
  readonly shape: readonly number[];
  /** Texts where JSON has no number for it. */
  readonly values: readonly (number | string)[];
}

export function expectedOf<T extends ExpectedValues>(name: string): ReadonlyMap<string, T> {
  const content: Record<string, T> = JSON.parse(fs.readFileSync(fixturePath(name), 'utf8'));
  return new Map(Object.entries(content));
}

export const numbersOf = (values: readonly (number | string)[]): number[] =>
  values.map(value => (value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value)));
