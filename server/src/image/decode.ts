import { open } from 'node:fs/promises';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { UserError } from '../../../protocol/errors';
import type { Raster } from './raster';
import { gifFrames, hasSoundCodes } from './gif';
import { pngChunks, readImageHeader, type ImageFormat, type ImageHeader } from './imageHeader';
import { plainTiff, TiffError } from './tiff';

/** What a decoder gives: RGBA, 16-bit where it was asked not to reduce it. */
interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** A decoded picture, upright, and what happened on the way, as sentences. */
export interface DecodedImage {
  readonly raster: Raster;
  readonly notes: readonly string[];
}

/** Pictures with more pixels are refused before they are decoded. */
export const MAXIMUM_PIXELS = 100_000_000;
/** Larger files are refused before they are read. */
export const MAXIMUM_FILE_BYTES = 200_000_000;
/** Scans of a progressive JPEG; each runs over the whole picture. Encoders write about ten. */
const MAXIMUM_JPEG_SCANS = 100;

/**
 * The most pixels that a byte of a whole file can stand for, by what the compression can do at best (JPEG: one bit for a block of 64;
 * Deflate 1032 to 1 and LZW 1365 to 1 with one bit a pixel). A header that claims more is not believed. WebP has no such bound.
 */
const PIXELS_PER_BYTE: Partial<Record<ImageFormat, number>> = {
  jpeg: 600,
  png: 8300,
  tiff: 11000,
  gif: 2800,
  bmp: 130,
};

const READABLE = 'PNG, JPEG, BMP, GIF, TIFF or WebP';

/** Formats that are recognised but not decoded, as people name them. */
const UNREAD: Partial<Record<ImageFormat, string>> = {
  avif: 'an AVIF',
  heic: 'a HEIC',
  svg: 'an SVG',
  jpeg2000: 'a JPEG 2000',
  psd: 'a Photoshop',
};

const MIME: Partial<Record<ImageFormat, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  bmp: 'image/bmp',
  tiff: 'image/tiff',
  webp: 'image/webp',
};

/** Reads and decodes a picture file. Throws `fileNotFound`, `fileUnreadable` or `badImage`, naming the file. */
export async function decodeImageFile(file: string, signal?: AbortSignal): Promise<DecodedImage> {
  const bytes = await readImageFile(file);
  signal?.throwIfAborted();
  return decodeImage(bytes, path.basename(file));
}

async function readImageFile(file: string): Promise<Buffer> {
  const name = path.basename(file);
  const handle = await open(file, 'r').catch((error: unknown) => {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw missing
      ? new UserError('fileNotFound', `${name} does not exist any more: choose another image.`)
      : new UserError(
          'fileUnreadable',
          `${name} cannot be opened: check its permissions or choose another image.`,
        );
  });
  try {
    const facts = await handle.stat();
    if (!facts.isFile())
      throw new UserError('badImage', `${name} is not a file: choose a ${READABLE} image.`);
    if (facts.size > MAXIMUM_FILE_BYTES)
      throw new UserError(
        'badImage',
        `${name} has ${Math.round(facts.size / 1e6)} MB, more than the ${MAXIMUM_FILE_BYTES / 1e6} MB that are read: save a smaller copy.`,
      );
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * Decodes a picture to upright RGBA with 8 bits a channel: EXIF rotation is applied once, 16-bit channels are reduced, of animations the
 * first frame is taken, alpha is kept as it is (not composited). `name` is used in messages. Throws UserError `badImage` for anything
 * that is no picture, too large, or broken.
 */
export async function decodeImage(bytes: Buffer, name: string): Promise<DecodedImage> {
  const header = checkHeader(bytes, name);
  try {
    const decoded = await decodeBytes(safeBytes(bytes, header), header);
    // jimp turns JPEG files upright itself.
    const raster = header.format === 'jpeg' ? decoded : turnUpright(decoded, header.orientation);
    return { raster, notes: decodeNotes(header, raster) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof TiffError ? error.message : 'it is broken or cut short';
    throw new UserError('badImage', `${name} cannot be decoded: ${reason}. Save it again as PNG.`);
  }
}

function checkHeader(bytes: Buffer, name: string): ImageHeader {
  if (bytes.length === 0)
    throw new UserError('badImage', `${name} is empty: choose a ${READABLE} image.`);
  if (bytes.length > MAXIMUM_FILE_BYTES)
    throw new UserError(
      'badImage',
      `${name} is larger than the ${MAXIMUM_FILE_BYTES / 1e6} MB that are read: save a smaller copy.`,
    );
  const header = readImageHeader(bytes);
  if (!header)
    throw new UserError(
      'badImage',
      `${name} is not a picture in a known format: choose a ${READABLE} image.`,
    );
  const unread = UNREAD[header.format];
  if (unread)
    throw new UserError(
      'badImage',
      `${name} is ${unread} picture, which is not read here: save it as PNG or JPEG.`,
    );
  const { size } = header;
  if (!size || size.width < 1 || size.height < 1)
    throw new UserError(
      'badImage',
      `${name} cannot be decoded: its header is broken or cut short. Save it again as PNG.`,
    );
  if (size.width * size.height > MAXIMUM_PIXELS)
    throw new UserError(
      'badImage',
      `${name} is ${size.width}×${size.height} pixels, more than the ${MAXIMUM_PIXELS / 1e6} million that are decoded: save a smaller copy.`,
    );
  if (size.width * size.height > bytes.length * (PIXELS_PER_BYTE[header.format] ?? Infinity))
    throw new UserError(
      'badImage',
      `${name} claims ${size.width}×${size.height} pixels but has only ${bytes.length} bytes: it is cut short or no real picture.`,
    );
  return header;
}

/** The bytes that the decoder gets: changed where it would use unbounded memory or time on what a hostile file says. */
function safeBytes(bytes: Buffer, header: ImageHeader): Buffer {
  if (header.format === 'tiff') return Buffer.from(plainTiff(bytes).buffer);
  if (header.format === 'png') return safePng(bytes, header);
  if (header.format === 'gif') {
    const frame = gifFrames(bytes).next().value;
    if (!frame || !hasSoundCodes(bytes, frame)) throw new Error('no sound frame');
  }
  if (header.format === 'jpeg') {
    let scans = 0;
    for (
      let at = bytes.indexOf('\xff\xda', 0, 'latin1');
      at >= 0;
      at = bytes.indexOf('\xff\xda', at + 2, 'latin1')
    )
      scans++;
    if (scans > MAXIMUM_JPEG_SCANS) throw new Error('too many scans');
  }
  return bytes;
}

/** Interlaced PNG data is inflated without a bound by the decoder, so its length is checked here; a transparent colour is left out, as it would turn black. */
function safePng(bytes: Buffer, header: ImageHeader): Buffer {
  const chunks = [...pngChunks(bytes)];
  const colourType = bytes[25] ?? 0;
  const interlaced = bytes[28] === 1;
  if (interlaced && header.size) {
    const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colourType] ?? 4;
    const row = Math.ceil((header.size.width * channels * header.bits) / 8) + 2;
    const data = chunks
      .filter(chunk => chunk.type === 'IDAT')
      .map(chunk => bytes.subarray(chunk.offset, chunk.offset + chunk.length));
    // Seven passes, each with a filter byte a row: never more than twice the plain size and some.
    inflateSync(Buffer.concat(data), { maxOutputLength: 2 * row * header.size.height + 4096 });
  }
  const transparent = chunks.find(chunk => chunk.type === 'tRNS');
  if (!transparent || colourType === 3) return bytes;
  return Buffer.concat([
    bytes.subarray(0, transparent.offset - 8),
    bytes.subarray(transparent.offset + transparent.length + 4),
  ]);
}

/** jimp and its formats are loaded on first use. */
async function decodeBytes(bytes: Buffer, header: ImageHeader): Promise<Raster> {
  const [{ createJimp }, { defaultFormats }, { webp }] = await Promise.all([
    import('@jimp/core'),
    import('jimp'),
    import('./webp'),
  ]);
  const format = [...defaultFormats, webp]
    .map(make => make())
    .find(({ mime }) => mime === MIME[header.format]);
  if (!format) throw new Error(`no decoder for ${header.format}`);
  if (format.mime === 'image/png' && header.bits > 8)
    return highBytes(format.decode(bytes, { skipRescale: true }));
  const Picture = createJimp({ formats: [() => format] });
  const options =
    header.format === 'jpeg'
      ? { 'image/jpeg': { maxMemoryUsageInMB: 2048, maxResolutionInMP: MAXIMUM_PIXELS / 1e6 } }
      : undefined;
  const { width, height, data } = (await Picture.fromBuffer(bytes, options)).bitmap;
  if (data.length !== width * height * 4)
    throw new Error('the decoder gave another number of pixels');
  return { width, height, rgba: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** Of 16-bit channels the high byte is taken, as Pillow and OpenCV do; the decoder by itself would round. */
function highBytes({ width, height, data }: Bitmap): Raster {
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < rgba.length; i++) rgba[i] = (data[i] ?? 0) >> 8;
  return { width, height, rgba };
}

/** Where the pixel of an upright picture comes from, by EXIF orientation; width and height are those of the stored picture. */
const SOURCES: Readonly<
  Record<number, (x: number, y: number, width: number, height: number) => readonly [number, number]>
> = {
  2: (x, y, width) => [width - 1 - x, y],
  3: (x, y, width, height) => [width - 1 - x, height - 1 - y],
  4: (x, y, _width, height) => [x, height - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, _width, height) => [y, height - 1 - x],
  7: (x, y, width, height) => [width - 1 - y, height - 1 - x],
  8: (x, y, width) => [width - 1 - y, x],
};

function turnUpright(stored: Raster, orientation: number): Raster {
  const source = SOURCES[orientation];
  if (!source) return stored;
  const [width, height] =
    orientation >= 5 ? [stored.height, stored.width] : [stored.width, stored.height];
  const from = new Uint32Array(stored.rgba.slice().buffer);
  const to = new Uint32Array(width * height);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sx, sy] = source(x, y, stored.width, stored.height);
      to[at++] = from[sy * stored.width + sx] ?? 0;
    }
  return { width, height, rgba: new Uint8Array(to.buffer) };
}

function decodeNotes(header: ImageHeader, raster: Raster): string[] {
  const notes: string[] = [];
  if (header.orientation > 1) notes.push(`Turned upright: EXIF orientation ${header.orientation}.`);
  if (header.bits > 8) notes.push(`Reduced from ${header.bits} to 8 bits a channel.`);
  if (header.animated)
    notes.push(
      header.format === 'tiff'
        ? 'Of several pages the first is used.'
        : 'Of the animation the first frame is used.',
    );
  for (let i = 3; i < raster.rgba.length; i += 4)
    if (raster.rgba[i] !== 255) {
      notes.push('Transparency is dropped, not blended: the colours under it are used.');
      break;
    }
  return notes;
}
