import { statSync } from 'node:fs';
import { Owner } from '../../../protocol/lifecycle';
import { decodeImageFile, type DecodedImage } from '../image/decode';
import { ByteCache } from './byteCache';

/** Bytes of decoded pictures that are kept: a few of everyday size. */
const KEPT_BYTES = 64 * 2 ** 20;

/** Decoded pictures by path, decoded again when the file changes. */
export class Pictures extends Owner {
  private readonly kept = this.register(new ByteCache<DecodedImage>(KEPT_BYTES));

  /** Throws what `decodeImageFile` throws: `fileNotFound`, `fileUnreadable`, `badImage`. */
  async decode(path: string): Promise<DecodedImage> {
    const stat = statSync(path, { throwIfNoEntry: false });
    const key = JSON.stringify([path, stat?.size, stat?.mtimeMs, stat?.ino]);
    const known = this.kept.get(key);
    if (known) return known;
    const decoded = await decodeImageFile(path);
    this.kept.set(key, decoded, decoded.raster.rgba.byteLength);
    return decoded;
  }
}
