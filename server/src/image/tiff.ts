import { inflateSync } from 'node:zlib';
import { ascii, readTiffTags } from './imageHeader';

/** Why a TIFF file cannot be read; the message finishes "… cannot be decoded: ". */
export class TiffError extends Error {}

/** The form of the samples of the first picture of a TIFF file. Tag numbers are those of TIFF 6.0. */
interface TiffForm {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly samples: number;
  readonly photometric: number;
  readonly compression: number;
  readonly horizontalPredictor: boolean;
  readonly little: boolean;
}

/** A rectangle of samples that is compressed on its own. */
interface Block {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

const WHITE_IS_ZERO = 0;
const BLACK_IS_ZERO = 1;
const RGB = 2;
const PALETTE = 3;

/** Bits per sample that are read, by photometric interpretation. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  [WHITE_IS_ZERO]: [1, 4, 8, 16],
  [BLACK_IS_ZERO]: [1, 2, 8, 16],
  [RGB]: [8, 16],
  [PALETTE]: [1, 2, 4, 8],
};

/**
 * Rewrites the first picture of a TIFF file as a small uncompressed one: a single little-endian strip and only the tags that matter.
 * What the image library gets is then bounded by the picture's size, whatever the file says. Strips and tiles; compression none, LZW,
 * Deflate and PackBits; grey, RGB and palette, pixel by pixel. Throws TiffError for anything else.
 */
export function plainTiff(bytes: Uint8Array): Uint8Array {
  const tags = readTiffTags(bytes);
  const form = readForm(tags, ascii(bytes, 0, 2) === 'II');
  const rowBytes = bytesPerRow(form, form.width);
  const samples = new Uint8Array(rowBytes * form.height);
  for (const block of blocks(bytes, tags, form)) {
    const blockRow = bytesPerRow(form, block.width);
    const raw = decompress(block.bytes, form.compression, blockRow * block.height);
    if (form.horizontalPredictor) undoPredictor(raw, form, blockRow);
    // Tile widths are multiples of 16, so a block starts on a whole byte.
    const left = bytesPerRow(form, block.left);
    const visible = Math.min(blockRow, rowBytes - left);
    for (let row = 0; row < Math.min(block.height, form.height - block.top); row++)
      samples.set(
        raw.subarray(row * blockRow, row * blockRow + visible),
        (block.top + row) * rowBytes + left,
      );
  }
  if (form.bits === 16 && !form.little) swapPairs(samples);
  return writeTiff(form, samples, tags.get(320) ?? []);
}

const bytesPerRow = (form: TiffForm, width: number): number =>
  Math.ceil((width * form.samples * form.bits) / 8);

function readForm(tags: ReadonlyMap<number, readonly number[]>, little: boolean): TiffForm {
  const one = (tag: number, otherwise: number): number => tags.get(tag)?.[0] ?? otherwise;
  const form: TiffForm = {
    width: one(256, 0),
    height: one(257, 0),
    bits: one(258, 1),
    samples: one(277, 1),
    photometric: one(262, -1),
    compression: one(259, 1),
    horizontalPredictor: one(317, 1) === 2,
    little,
  };
  const depths = DEPTHS[form.photometric];
  if (!depths) throw new TiffError('its colours are neither grey, RGB nor a palette');
  if (!depths.includes(form.bits) || (tags.get(258) ?? []).some(bits => bits !== form.bits))
    throw new TiffError(`${form.bits} bits per sample of this kind are not read`);
  if (one(339, 1) !== 1) throw new TiffError('its samples are not unsigned whole numbers');
  if (
    form.samples < (form.photometric === RGB ? 3 : 1) ||
    form.samples > 4 ||
    (form.photometric !== RGB && form.samples !== 1)
  )
    throw new TiffError(`${form.samples} samples per pixel of this kind are not read`);
  if (one(284, 1) !== 1 && form.samples > 1)
    throw new TiffError('its colour planes are stored one after another');
  if (one(317, 1) > 2) throw new TiffError('its predictor is for floating point numbers');
  if (one(266, 1) !== 1) throw new TiffError('its bits are in reverse order');
  if (form.photometric === PALETTE && (tags.get(320)?.length ?? 0) < 3 * 2 ** form.bits)
    throw new TiffError('its palette is not whole');
  return form;
}

function* blocks(
  bytes: Uint8Array,
  tags: ReadonlyMap<number, readonly number[]>,
  form: TiffForm,
): Generator<Block> {
  const tiled = tags.has(322);
  const width = tiled ? (tags.get(322)?.[0] ?? 0) : form.width;
  const height = tiled
    ? (tags.get(323)?.[0] ?? 0)
    : Math.min(form.height, tags.get(278)?.[0] ?? form.height);
  const tooLarge =
    tiled &&
    (width % 16 !== 0 ||
      height % 16 !== 0 ||
      width > form.width + 4096 ||
      height > form.height + 4096);
  if (width < 1 || height < 1 || tooLarge)
    throw new TiffError('its strips or tiles have an impossible size');
  const offsets = tags.get(tiled ? 324 : 273) ?? [];
  const lengths = tags.get(tiled ? 325 : 279) ?? [];
  const across = Math.ceil(form.width / width);
  for (let top = 0, index = 0; top < form.height; top += height)
    for (let column = 0; column < across; column++, index++) {
      const blockHeight = tiled ? height : Math.min(height, form.height - top);
      const offset = offsets[index];
      const raw = bytesPerRow(form, width) * blockHeight;
      const length = lengths[index] ?? (form.compression === 1 ? raw : undefined);
      if (offset === undefined || length === undefined || offset + length > bytes.length)
        throw new TiffError('it is cut short');
      yield {
        left: column * width,
        top,
        width,
        height: blockHeight,
        bytes: bytes.subarray(offset, offset + length),
      };
    }
}

/** Exactly `length` bytes; a block that gives fewer is completed with zeros, as common readers do. */
function decompress(bytes: Uint8Array, compression: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  switch (compression) {
    case 1:
      out.set(bytes.subarray(0, length));
      return out;
    case 5:
      return unpackLzw(bytes, out);
    case 8:
    case 32946:
      try {
        out.set(inflateSync(bytes, { maxOutputLength: length + 4096 }).subarray(0, length));
      } catch {
        throw new TiffError('its compressed data is broken');
      }
      return out;
    case 32773:
      return unpackBits(bytes, out);
    default:
      throw new TiffError(`compression ${compression} is not read`);
  }
}

/** TIFF 6.0, section 9. */
function unpackBits(bytes: Uint8Array, out: Uint8Array): Uint8Array {
  for (let from = 0, to = 0; from < bytes.length && to < out.length;) {
    const control = bytes[from++] ?? 0;
    if (control < 128) {
      const literal = bytes.subarray(from, from + Math.min(control + 1, out.length - to));
      out.set(literal, to);
      from += control + 1;
      to += control + 1;
    } else if (control > 128) {
      out.fill(bytes[from++] ?? 0, to, to + 257 - control);
      to += 257 - control;
    }
  }
  return out;
}

const LZW_CLEAR = 256;
const LZW_END = 257;

/** TIFF 6.0, section 13: codes of 9 to 12 bits, most significant bit first, the width grows one code early. */
function unpackLzw(bytes: Uint8Array, out: Uint8Array): Uint8Array {
  // Each code stands for a run of what was already written: its start and its length.
  const starts = new Int32Array(4096);
  const lengths = new Int32Array(4096);
  let next = 258;
  let width = 9;
  let previous: { start: number; length: number } | null = null;
  let to = 0;
  for (let bit = 0; bit + width <= bytes.length * 8 && to < out.length;) {
    const at = bit >> 3;
    const word = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const code = (word >> (24 - width - (bit & 7))) & ((1 << width) - 1);
    bit += width;
    if (code === LZW_END) break;
    if (code === LZW_CLEAR) {
      next = 258;
      width = 9;
      previous = null;
      continue;
    }
    const start = to;
    if (code < 256) out[to++] = code;
    else {
      const isNew = code === next && previous !== null;
      if (code >= next && !isNew) throw new TiffError('its LZW data is broken');
      const source =
        isNew && previous ? previous : { start: starts[code] ?? 0, length: lengths[code] ?? 0 };
      const first = out[source.start] ?? 0;
      const end = Math.min(out.length, to + source.length);
      for (let from = source.start; to < end;) out[to++] = out[from++] ?? 0;
      if (isNew && to < out.length) out[to++] = first;
    }
    if (previous && next < 4096) {
      starts[next] = previous.start;
      lengths[next] = previous.length + 1;
      next++;
      if (next === (1 << width) - 1 && width < 12) width++;
    }
    previous = { start, length: to - start };
  }
  return out;
}

function undoPredictor(raw: Uint8Array, form: TiffForm, rowBytes: number): void {
  const { samples, bits, little } = form;
  if (bits === 8)
    for (let row = 0; row + rowBytes <= raw.length; row += rowBytes)
      for (let i = row + samples; i < row + rowBytes; i++)
        raw[i] = (raw[i] ?? 0) + (raw[i - samples] ?? 0);
  else if (bits === 16) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    for (let row = 0; row + rowBytes <= raw.length; row += rowBytes)
      for (let i = row + 2 * samples; i < row + rowBytes; i += 2)
        view.setUint16(
          i,
          view.getUint16(i, little) + view.getUint16(i - 2 * samples, little),
          little,
        );
  } else throw new TiffError('its predictor is for 8 and 16 bits only');
}

function swapPairs(bytes: Uint8Array): void {
  for (let i = 0; i + 1 < bytes.length; i += 2) bytes.subarray(i, i + 2).reverse();
}

/** A little-endian TIFF with one directory and one strip. */
function writeTiff(form: TiffForm, samples: Uint8Array, palette: readonly number[]): Uint8Array {
  const SHORT = 3;
  const LONG = 4;
  const entries: [tag: number, type: number, values: readonly number[]][] = [
    [256, LONG, [form.width]],
    [257, LONG, [form.height]],
    [258, SHORT, Array<number>(form.samples).fill(form.bits)],
    [259, SHORT, [1]],
    [262, SHORT, [form.photometric]],
    [273, LONG, [0]],
    [277, SHORT, [form.samples]],
    [278, LONG, [form.height]],
    [279, LONG, [samples.length]],
  ];
  if (form.photometric === PALETTE)
    entries.push([320, SHORT, palette.slice(0, 3 * 2 ** form.bits)]);
  const directoryBytes = 2 + 12 * entries.length + 4;
  const bytesOf = (type: number, values: readonly number[]): number =>
    values.length * (type === SHORT ? 2 : 4);
  const extraBytes = entries.reduce(
    (sum, [, type, values]) => sum + (bytesOf(type, values) > 4 ? bytesOf(type, values) : 0),
    0,
  );
  const dataStart = Math.ceil((8 + directoryBytes + extraBytes) / 4) * 4;
  const out = new Uint8Array(dataStart + samples.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0x49492a00);
  view.setUint32(4, 8, true);
  view.setUint16(8, entries.length, true);
  let extra = 8 + directoryBytes;
  for (const [index, [tag, type, values]] of entries.entries()) {
    const entry = 10 + 12 * index;
    view.setUint16(entry, tag, true);
    view.setUint16(entry + 2, type, true);
    view.setUint32(entry + 4, values.length, true);
    const far = bytesOf(type, values) > 4;
    const start = far ? extra : entry + 8;
    if (far) view.setUint32(entry + 8, extra, true);
    for (const [k, value] of (tag === 273 ? [dataStart] : values).entries()) {
      if (type === SHORT) view.setUint16(start + 2 * k, value, true);
      else view.setUint32(start + 4 * k, value, true);
    }
    if (far) extra += bytesOf(type, values);
  }
  out.set(samples, dataStart);
  return out;
}
