import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import webpFormat from '@jimp/wasm-webp';
import decodeWebp, { init } from '@jsquash/webp/decode.js';

const WASM_NAME = 'webp_dec.wasm';

/** The decoder's code: beside the bundle in the shipped product, in the package when running from source. */
function wasmPath(): string {
  const beside = path.join(__dirname, WASM_NAME);
  return existsSync(beside)
    ? beside
    : createRequire(__filename).resolve(`@jsquash/webp/codec/dec/${WASM_NAME}`);
}

let ready: Promise<void> | null = null;

/**
 * jimp's WebP format. Its own `decode` fetches the decoder's WebAssembly by URL, which works in browsers only; here the code is
 * read from a file on first use. Pictures that cannot be decoded make `decode` reject.
 */
export const webp = (): ReturnType<typeof webpFormat> => ({
  ...webpFormat(),
  decode: async data => {
    ready ??= readFile(wasmPath()).then(code => init({ wasmBinary: code }));
    await ready;
    const { buffer } = Uint8Array.from(data);
    const image = await decodeWebp(buffer);
    return {
      data: Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength),
      width: image.width,
      height: image.height,
    };
  },
});
