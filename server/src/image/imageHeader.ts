import { gifFrames } from './gif';

/** Formats that are told apart by their first bytes. The last five are recognised only to be named in a message. */
export type ImageFormat =
  'png' | 'jpeg' | 'gif' | 'bmp' | 'tiff' | 'webp' | 'avif' | 'heic' | 'svg' | 'jpeg2000' | 'psd';

/** What the first bytes of a picture say, before anything is decoded. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** As stored, before any rotation; null where the format is not decoded or the header is broken. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** Bits per channel as stored. */
  readonly bits: number;
  /** EXIF orientation 1…8. */
  readonly orientation: number;
  readonly animated: boolean;
}

/** ASCII of a byte range; bytes beyond the end are left out. */
export const ascii = (bytes: Uint8Array, offset: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(offset, offset + length));

const SIGNATURES: readonly (readonly [ImageFormat, (bytes: Uint8Array) => boolean])[] = [
  ['png', bytes => ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n'],
  ['jpeg', bytes => ascii(bytes, 0, 3) === '\xff\xd8\xff'],
  ['gif', bytes => /^GIF8[79]a/.test(ascii(bytes, 0, 6))],
  ['bmp', bytes => ascii(bytes, 0, 2) === 'BM'],
  ['tiff', bytes => ['II*\0', 'MM\0*'].includes(ascii(bytes, 0, 4))],
  ['webp', bytes => ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 4) === 'WEBP'],
  ['avif', bytes => /^ftypavi[fs]/.test(ascii(bytes, 4, 8))],
  ['heic', bytes => /^ftyp(hei[cxms]|hev[cx]|mif1|msf1)/.test(ascii(bytes, 4, 8))],
  ['jpeg2000', bytes => ascii(bytes, 4, 4) === 'jP  ' || ascii(bytes, 0, 4) === '\xff\x4f\xff\x51'],
  ['psd', bytes => ascii(bytes, 0, 4) === '8BPS'],
  [
    'svg',
    bytes =>
      /^(\xef\xbb\xbf)?\s*(<\?xml[^]*?)?(<!--[^]*?-->\s*)*(<!DOCTYPE svg[^]*?)?<svg[\s>]/.test(
        ascii(bytes, 0, 1024),
      ),
  ],
];

/** Reads format and size from a picture's first bytes, without decoding and without throwing. Null for unknown formats. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | null {
  const format = SIGNATURES.find(([, matches]) => matches(bytes))?.[0];
  if (!format) return null;
  const empty: ImageHeader = { format, size: null, bits: 8, orientation: 1, animated: false };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return { ...empty, ...READERS[format]?.(bytes, view) };
  } catch (error) {
    // Reading past the end: the file is cut short.
    if (error instanceof RangeError) return empty;
    throw error;
  }
}

type Found = Partial<Omit<ImageHeader, 'format'>>;
type HeaderReader = (bytes: Uint8Array, view: DataView) => Found;

const READERS: Partial<Record<ImageFormat, HeaderReader>> = {
  png: readPng,
  jpeg: readJpeg,
  gif: readGif,
  bmp: readBmp,
  tiff: readTiff,
  webp: readWebp,
};

function readPng(bytes: Uint8Array, view: DataView): Found {
  const found = {
    size: { width: view.getUint32(16), height: view.getUint32(20) },
    bits: view.getUint8(24),
    orientation: 1,
    animated: false,
  };
  for (const { type, offset, length } of pngChunks(bytes)) {
    if (type === 'eXIf')
      found.orientation = exifOrientation(bytes.subarray(offset, offset + length));
    if (type === 'acTL') found.animated = true;
  }
  return found;
}

export interface PngChunk {
  readonly type: string;
  /** Of the chunk's data. */
  readonly offset: number;
  readonly length: number;
}

/** The chunks of a PNG file in order, as far as they are whole. */
export function* pngChunks(bytes: Uint8Array): Generator<PngChunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 8;
  while (offset + 12 <= bytes.length) {
    const length = view.getUint32(offset);
    if (offset + 12 + length > bytes.length) return;
    yield { type: ascii(bytes, offset + 4, 4), offset: offset + 8, length };
    offset += 12 + length;
  }
}

function readJpeg(bytes: Uint8Array, view: DataView): Found {
  let orientation = 1;
  let offset = 2;
  for (;;) {
    while (view.getUint8(offset) === 0xff && view.getUint8(offset + 1) === 0xff) offset++;
    const marker = view.getUint16(offset);
    if (marker < 0xff01) return { orientation };
    const length = view.getUint16(offset + 2);
    const isFrame =
      marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) {
      const size = { height: view.getUint16(offset + 5), width: view.getUint16(offset + 7) };
      return { size, bits: view.getUint8(offset + 4), orientation };
    }
    if (marker === 0xffda || length < 2) return { orientation };
    if (marker === 0xffe1 && ascii(bytes, offset + 4, 6) === 'Exif\0\0')
      orientation = exifOrientation(bytes.subarray(offset + 10, offset + 2 + length));
    offset += 2 + length;
  }
}

/** The screen, or the first frame where that is larger: both are allocated by a decoder. */
function readGif(bytes: Uint8Array, view: DataView): Found {
  const screen = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  const frames = gifFrames(bytes);
  const first = frames.next().value;
  if (!first) return { size: screen };
  const size = {
    width: Math.max(screen.width, first.width),
    height: Math.max(screen.height, first.height),
  };
  return { size, animated: frames.next().value !== undefined };
}

function readBmp(_bytes: Uint8Array, view: DataView): Found {
  const size = { width: view.getUint32(18, true), height: Math.abs(view.getInt32(22, true)) };
  return { size, bits: Math.min(8, view.getUint16(28, true)) };
}

function readWebp(bytes: Uint8Array, view: DataView): Found {
  const uint24 = (offset: number): number =>
    view.getUint16(offset, true) + view.getUint8(offset + 2) * 65536;
  switch (ascii(bytes, 12, 4)) {
    case 'VP8 ':
      return {
        size: {
          width: view.getUint16(26, true) & 0x3fff,
          height: view.getUint16(28, true) & 0x3fff,
        },
      };
    case 'VP8L': {
      const packed = view.getUint32(21, true);
      return { size: { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 } };
    }
    case 'VP8X': {
      const size = { width: uint24(24) + 1, height: uint24(27) + 1 };
      return {
        size,
        animated: (view.getUint8(20) & 2) !== 0,
        orientation: webpOrientation(bytes, view),
      };
    }
    default:
      return {};
  }
}

function webpOrientation(bytes: Uint8Array, view: DataView): number {
  for (let offset = 12; offset + 8 <= bytes.length;) {
    const length = view.getUint32(offset + 4, true);
    if (ascii(bytes, offset, 4) === 'EXIF') {
      const start = ascii(bytes, offset + 8, 6) === 'Exif\0\0' ? 14 : 8;
      return exifOrientation(bytes.subarray(offset + start, offset + 8 + length));
    }
    offset += 8 + length + (length % 2);
  }
  return 1;
}

function readTiff(bytes: Uint8Array): Found {
  const tags = readTiffTags(bytes);
  const one = (tag: number): number | undefined => tags.get(tag)?.[0];
  const width = one(256);
  const height = one(257);
  return {
    size: width && height ? { width, height } : null,
    bits: one(258) ?? 1,
    orientation: asOrientation(one(274)),
    animated: (tags.get(NEXT_DIRECTORY)?.[0] ?? 0) > 0,
  };
}

const asOrientation = (value: number | undefined): number =>
  value !== undefined && value >= 1 && value <= 8 ? value : 1;

/** Orientation of an EXIF block, which has the form of a TIFF file; 1 where there is none. */
function exifOrientation(block: Uint8Array): number {
  return asOrientation(readTiffTags(block).get(274)?.[0]);
}

/** Key in the result of `readTiffTags` for the offset of the second directory, 0 where there is none. */
export const NEXT_DIRECTORY = -1;

/** Elements of one tag that are read; strips and colour tables are shorter. */
const MAXIMUM_TAG_COUNT = 1 << 20;

/**
 * The whole-number tags (BYTE, SHORT, LONG) of the first directory of a TIFF file or EXIF block. Tags of other types, with too many
 * elements or outside the file are left out. Follows TIFF 6.0, section 2.
 */
export function readTiffTags(bytes: Uint8Array): ReadonlyMap<number, readonly number[]> {
  const tags = new Map<number, number[]>();
  const little = ascii(bytes, 0, 2) === 'II';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) return tags;
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return tags;
  const count = view.getUint16(directory, little);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > bytes.length) return tags;
    const type = view.getUint16(entry + 2, little);
    const length = view.getUint32(entry + 4, little);
    const width = { 1: 1, 3: 2, 4: 4 }[type];
    if (!width || length > MAXIMUM_TAG_COUNT) continue;
    const start = width * length <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
    if (start + width * length > bytes.length) continue;
    const read = (k: number): number =>
      width === 1
        ? view.getUint8(start + k)
        : width === 2
          ? view.getUint16(start + 2 * k, little)
          : view.getUint32(start + 4 * k, little);
    tags.set(
      view.getUint16(entry, little),
      Array.from({ length }, (_, k) => read(k)),
    );
  }
  const next = directory + 2 + 12 * count;
  tags.set(NEXT_DIRECTORY, [next + 4 <= bytes.length ? view.getUint32(next, little) : 0]);
  return tags;
}
