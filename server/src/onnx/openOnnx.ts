import { UserError } from '../../../protocol/errors';
import type { ByteSource, Model } from './graph';
import { readModelBytes, type ModelReading } from './readModel';
import { decodeText } from './wire';

/**
 * Reads a model as `readModel` does, but refuses what is no ONNX model: UserError `notOnnx` or `brokenModel` with one sentence that says
 * what the file is and what to do.
 */
export function openOnnx(source: ByteSource): Model {
  const known = knownFormat(source);
  if (known) throw new UserError('notOnnx', `${source.name} ${known}.`);
  const reading = readModelBytes(source);
  assertOnnx(reading, source);
  return reading.model;
}

/** What a file is that begins like something else than ONNX; null where it may be ONNX. */
function knownFormat(source: ByteSource): string | null {
  if (source.size === 0) return 'is empty: export or copy it again';
  const head = source.read(0, Math.min(source.size, 512));
  const text = decodeText(head);
  if (text.startsWith('version https://git-lfs'))
    return 'is a Git LFS pointer, not the model itself: run "git lfs pull" in its folder';
  if (text.slice(4, 8) === 'ORTM')
    return 'is in the ORT format of ONNX Runtime, which cannot be shown: use the .onnx file it was made from';
  const bytes = String.fromCharCode(...head.subarray(0, 8));
  for (const [signature, what] of SIGNATURES) if (bytes.startsWith(signature)) return what;
  const start = text.replace(/^\uFEFF/, '').trimStart();
  if (/^<(!doctype|html|\?xml|head|svg)/i.test(start))
    return 'is a web page or XML, not an ONNX model: download the file itself';
  if (/^[{[]\s*["{[\]}\d-]/.test(start)) return 'is JSON, not an ONNX model';
  if (head.every(byte => byte === 0))
    return 'begins with zeros only and is no ONNX model: its download or copy may not be complete';
  if (isText(head)) return 'is a text file, not an ONNX model';
  return null;
}

const SIGNATURES: readonly (readonly [string, string])[] = [
  [
    'PK\u0003\u0004',
    'is a ZIP archive (PyTorch checkpoints are too), not an ONNX model: unpack or export it first',
  ],
  ['\u001f\u008b', 'is a gzip archive, not an ONNX model: unpack it first'],
  ['\u0089HDF\r\n', 'is an HDF5 file (Keras), not an ONNX model: convert it first'],
  ['\u0089PNG', 'is a PNG image, not an ONNX model'],
  ['\u00ff\u00d8\u00ff', 'is a JPEG image, not an ONNX model'],
  ['%PDF', 'is a PDF document, not an ONNX model'],
];

/** Printable ASCII and line breaks from beginning to end, as no protobuf message of a model is. */
const isText = (bytes: Uint8Array): boolean =>
  bytes.every(byte => (byte >= 0x20 && byte < 0x7f) || byte === 9 || byte === 10 || byte === 13);

function assertOnnx(reading: ModelReading, source: ByteSource): void {
  const { model, hasGraph, hasIrVersion, truncation, faults } = reading;
  const { name } = source;
  const begins = hasIrVersion && model.irVersion < 1000;
  if (truncation && begins)
    throw new UserError(
      'brokenModel',
      `${name} is truncated at byte ${truncation.at} of at least ${truncation.needed}: if it is not still being written, export or copy it again.`,
    );
  if (!hasGraph && !begins)
    throw new UserError('notOnnx', `${name} is not an ONNX model: it does not begin like one.`);
  if (!hasGraph)
    throw new UserError(
      'brokenModel',
      `${name} holds no graph: if it is not still being written, export or copy it again.`,
    );
  if (!begins && (faults > 0 || truncation || model.graph.nodes.length === 0))
    throw new UserError(
      'notOnnx',
      `${name} is not an ONNX model: its bytes do not follow the format.`,
    );
  if (!begins)
    throw new UserError('brokenModel', `${name} is not a whole ONNX model: it has no IR version.`);
  if (model.opsets.size === 0 && model.graph.nodes.length > 0 && model.irVersion >= 3)
    throw new UserError(
      'brokenModel',
      `${name} is not a whole ONNX model: it does not say which operator set it uses.`,
    );
}
