import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../protocol/errors';
import { decodeImage } from '../../server/src/image/decode';
import { pngChunks } from '../../server/src/image/imageHeader';
import { readNpy } from '../../server/src/image/npy';
import { elementCount } from '../../server/src/onnx/tensor';
import { mutate, seeded } from './seeded';

const FOLDER = path.resolve(import.meta.dirname, '../fixtures/image');
/** More mutants for a long run: `FUZZ_ROUNDS=1000 npx vitest run test/fuzz/image.test.ts`. */
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 30);
const LONGEST_MS = 5000;
const MOST_BYTES = 1_500_000_000;

/** What a reader may do with hostile bytes: a result, or a UserError with this code. */
async function attempt(
  read: () => unknown,
  code: string,
): Promise<{ error: UserError | null; milliseconds: number }> {
  const start = performance.now();
  let error: UserError | null = null;
  try {
    await read();
  } catch (thrown) {
    if (!(thrown instanceof UserError) || thrown.code !== code) throw thrown;
    error = thrown;
  }
  return { error, milliseconds: performance.now() - start };
}

/** Makes the checksums of a damaged PNG right again, so that the damage reaches the decoder. */
function repairPng(bytes: Buffer): Buffer {
  for (const { offset, length } of pngChunks(bytes))
    bytes.writeUInt32BE(crc32(bytes.subarray(offset - 4, offset + length)), offset + length);
  return bytes;
}

const pictures = readdirSync(FOLDER).filter(name => /\.(png|jpg|gif|bmp|tiff|webp)$/.test(name));

describe('damaged pictures', () => {
  it.each(pictures)(
    '%s gives a picture or one sentence',
    async name => {
      const bytes = readFileSync(path.join(FOLDER, name));
      const random = seeded(Buffer.from(name).reduce((sum, byte) => sum * 31 + byte, 7));
      for (let round = 0; round < ROUNDS; round++) {
        const mutant = mutate(bytes, random);
        const damaged = name.endsWith('.png') && round % 2 === 0 ? repairPng(mutant) : mutant;
        const { error, milliseconds } = await attempt(async () => {
          const { raster } = await decodeImage(damaged, name);
          expect(raster.rgba.length).toBe(raster.width * raster.height * 4);
        }, 'badImage');
        expect(milliseconds, `round ${round}`).toBeLessThan(LONGEST_MS);
        if (error) expect(error.message).toContain(name);
      }
      expect(process.memoryUsage().rss).toBeLessThan(MOST_BYTES);
    },
    120_000,
  );
});

describe('damaged arrays', () => {
  const arrays = readdirSync(path.join(FOLDER, 'npy')).filter(name => name.endsWith('.npy'));
  it.each(arrays)('%s gives a tensor or one sentence', async name => {
    const bytes = readFileSync(path.join(FOLDER, 'npy', name));
    const random = seeded(Buffer.from(name).reduce((sum, byte) => sum * 31 + byte, 11));
    for (let round = 0; round < ROUNDS * 10; round++) {
      const { milliseconds } = await attempt(() => {
        const { shape, data, dtype } = readNpy(mutate(bytes, random), name);
        expect(data.length).toBe(elementCount(shape) * (dtype.startsWith('complex') ? 2 : 1));
      }, 'badArray');
      expect(milliseconds, `round ${round}`).toBeLessThan(LONGEST_MS);
    }
  });
});
