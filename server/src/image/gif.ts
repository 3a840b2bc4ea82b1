/** A frame of a GIF file, before it is decoded. */
export interface GifFrame {
  readonly width: number;
  readonly height: number;
  /** Offset of the LZW minimum code size; data blocks follow. */
  readonly data: number;
}

/** Bytes of the colour table that a packed field announces. */
const tableBytes = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

/** The frames of a GIF file in order, as far as their blocks are whole. Throws RangeError where the file is cut short. Follows GIF89a. */
export function* gifFrames(bytes: Uint8Array): Generator<GifFrame> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 13 + tableBytes(view.getUint8(10));
  for (;;) {
    const block = view.getUint8(offset);
    if (block === 0x2c) {
      const data = offset + 10 + tableBytes(view.getUint8(offset + 9));
      yield {
        width: view.getUint16(offset + 5, true),
        height: view.getUint16(offset + 7, true),
        data,
      };
      offset = afterBlocks(view, data + 1);
    } else if (block === 0x21) offset = afterBlocks(view, offset + 2);
    else return;
  }
}

function afterBlocks(view: DataView, from: number): number {
  let at = from;
  for (let length = view.getUint8(at); length > 0; length = view.getUint8(at)) at += length + 1;
  return at + 1;
}

/**
 * True where the LZW codes of a frame only refer to what came before: others make a decoder follow its own table in a circle. Stops
 * once the frame is full.
 */
export function hasSoundCodes(bytes: Uint8Array, frame: GifFrame): boolean {
  const minimum = bytes[frame.data] ?? 0;
  if (minimum < 1 || minimum > 8) return false;
  const clear = 1 << minimum;
  const end = clear + 1;
  const lengths = new Int32Array(4096).fill(1, 0, clear);
  let next = end + 1;
  let width = minimum + 1;
  let previous = 0;
  let pixels = 0;
  for (const read = codeReader(bytes, frame.data + 1); pixels < frame.width * frame.height;) {
    const code = read(width);
    if (code === null || code === end) return true;
    if (code === clear) {
      next = end + 1;
      width = minimum + 1;
      previous = 0;
      continue;
    }
    if (code > next || (code === next && previous === 0)) return false;
    const length = code === next ? previous + 1 : (lengths[code] ?? 1);
    if (previous > 0 && next < 4096) {
      lengths[next++] = previous + 1;
      if (next === 1 << width && width < 12) width++;
    }
    pixels += length;
    previous = length;
  }
  return true;
}

/** Reads codes of a given width, least significant bit first, across data blocks; null at their end. */
function codeReader(bytes: Uint8Array, start: number): (width: number) => number | null {
  let at = start;
  let left = 0;
  let bits = 0;
  let count = 0;
  return width => {
    for (; count < width; count += 8) {
      if (left === 0) left = bytes[at++] ?? 0;
      if (left === 0 || at >= bytes.length) return null;
      bits |= (bytes[at++] ?? 0) << count;
      left--;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    count -= width;
    return code;
  };
}
