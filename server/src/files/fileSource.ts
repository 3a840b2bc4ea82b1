import fs from 'node:fs';
import type { Disposable } from '../../../protocol/lifecycle';
import { UserError } from '../../../protocol/errors';
import type { ByteSource } from '../onnx/graph';

/** What tells one state of a file from another. */
export interface FileIdentity {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

/** An opened file. */
export interface FileSource extends ByteSource, Disposable {
  readonly identity: FileIdentity;
}

/** The most that one call of the operating system reads. */
const READ_CHUNK = 2 ** 30;

/**
 * Opens a regular file for reading by range, of any size. Throws UserError: `fileNotFound`, or `fileUnreadable` for a folder, a device or
 * where the rights are missing. `read` throws `brokenModel` where the file has become shorter.
 */
export function openFileSource(path: string): FileSource {
  const descriptor = open(path);
  try {
    const stat = fs.fstatSync(descriptor);
    if (stat.isDirectory())
      throw new UserError('fileUnreadable', `${path} is a folder, not a file.`);
    if (!stat.isFile()) throw new UserError('fileUnreadable', `${path} is not a regular file.`);
    return new OpenedFile(path, descriptor, {
      size: stat.size,
      mtimeMs: stat.mtimeMs,
      ino: stat.ino,
    });
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function open(path: string): number {
  try {
    // without O_NONBLOCK a named pipe would wait for its writer
    return fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw fileError(path, error);
  }
}

/** What a failed call of the file system means to a person. */
export function fileError(path: string, error: unknown): UserError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new UserError('fileNotFound', `There is no file ${path}.`);
  if (code === 'EACCES' || code === 'EPERM')
    return new UserError('fileUnreadable', `${path} may not be read: its permissions forbid it.`);
  if (code === 'EISDIR') return new UserError('fileUnreadable', `${path} is a folder, not a file.`);
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError('fileUnreadable', `${path} could not be read: ${reason}.`);
}

class OpenedFile implements FileSource {
  private closed = false;

  constructor(
    readonly name: string,
    private readonly descriptor: number,
    readonly identity: FileIdentity,
  ) {}

  get size(): number {
    return this.identity.size;
  }

  read(offset: number, length: number): Uint8Array {
    if (this.closed) throw new Error(`${this.name} is read after it was closed`);
    if (offset < 0 || length < 0 || offset + length > this.size)
      throw new UserError(
        'brokenModel',
        `${this.name} has ${this.size} bytes where ${offset + length} are needed; export or copy it again.`,
      );
    const bytes = this.allocate(length);
    for (let filled = 0; filled < length;) {
      const wanted = Math.min(length - filled, READ_CHUNK);
      const count = this.readChunk(bytes, filled, wanted, offset + filled);
      if (count === 0)
        throw new UserError(
          'brokenModel',
          `${this.name} became shorter while it was read: it may still be being written.`,
        );
      filled += count;
    }
    return bytes;
  }

  private allocate(length: number): Uint8Array {
    try {
      return new Uint8Array(length);
    } catch {
      throw new UserError('tooLarge', `${length} bytes of ${this.name} do not fit into memory.`);
    }
  }

  private readChunk(into: Uint8Array, at: number, length: number, position: number): number {
    try {
      return fs.readSync(this.descriptor, into, at, length, position);
    } catch (error) {
      throw fileError(this.name, error);
    }
  }

  dispose(): void {
    if (this.closed) return;
    this.closed = true;
    fs.closeSync(this.descriptor);
  }
}
