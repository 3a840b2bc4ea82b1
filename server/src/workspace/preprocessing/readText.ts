import { open } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../../protocol/errors';

/** The text of a file of at most `maximumBytes`, UTF-8, without a byte order mark. Throws `fileUnreadable` or `fileNotFound`, naming the file. */
export async function readText(file: string, maximumBytes: number): Promise<string> {
  const name = path.basename(file);
  try {
    const handle = await open(file, 'r');
    try {
      const facts = await handle.stat();
      if (!facts.isFile()) throw new UserError('fileUnreadable', `${name} is not a file.`);
      if (facts.size > maximumBytes)
        throw new UserError(
          'fileUnreadable',
          `${name} has ${facts.size} bytes, more than the ${maximumBytes} that are read of such a file.`,
        );
      return (await handle.readFile('utf8')).replace(/^\ufeff/, '');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw missing
      ? new UserError('fileNotFound', `${name} does not exist.`)
      : new UserError('fileUnreadable', `${name} cannot be read: check its permissions.`);
  }
}
