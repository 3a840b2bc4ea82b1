import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { CancelledError } from '../../../protocol/errors';
import { fileError } from './fileSource';

/** SHA-256 of a file's bytes, in hexadecimal. Throws `cancelled` when the signal is raised, and as `openFileSource` does. */
export async function sha256File(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of fs.createReadStream(path, { signal, highWaterMark: 1 << 20 }))
      hash.update(chunk);
  } catch (error) {
    if (signal.aborted) throw new CancelledError();
    throw fileError(path, error);
  }
  return hash.digest('hex');
}
