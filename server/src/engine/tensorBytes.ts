import type { Tensor } from '../onnx/tensor';

/** Bytes in memory of tensors; a string counts by its length. */
export function totalBytes(tensors: ReadonlyMap<string, Tensor>): number {
  let total = 0;
  for (const { data } of tensors.values()) {
    if (ArrayBuffer.isView(data)) total += data.byteLength;
    else for (const text of data) total += 2 * text.length;
  }
  return total;
}
