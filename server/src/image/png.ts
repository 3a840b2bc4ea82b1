import { crc32, deflateSync } from 'node:zlib';

/** Colour type of the PNG specification by channels: grey, RGB, RGBA. */
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 } as const;

/**
 * Encodes 8-bit pixels, row by row, as PNG: 1 (grey), 3 (RGB) or 4 (RGBA, not premultiplied) channels. `text` becomes iTXt chunks
 * (keyword → UTF-8), which carry what the picture is a function of. The same input gives the same bytes with the same zlib. Follows
 * the PNG specification, third edition; each row takes the filter with the least sum of absolute differences.
 */
export function encodePng(
  width: number,
  height: number,
  channels: 1 | 3 | 4,
  pixels: Uint8Array,
  text: Readonly<Record<string, string>> = {},
): Uint8Array {
  if (pixels.length !== width * height * channels)
    throw new Error(`${pixels.length} bytes for ${width}×${height}×${channels}`);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, COLOUR_TYPES[channels]], 8);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', header),
      ...Object.entries(text).map(([keyword, value]) => chunk('iTXt', textChunk(keyword, value))),
      chunk(
        'IDAT',
        deflateSync(filterRows(width * channels, height, channels, pixels), { level: 9 }),
      ),
      chunk('IEND', Buffer.alloc(0)),
    ]),
  );
}

/** Keyword (Latin-1, 1 to 79 characters), no compression, no language, no translated keyword, text. */
function textChunk(keyword: string, value: string): Buffer {
  const plain =
    keyword
      .replace(/[^\x20-\x7e]/g, '')
      .trim()
      .slice(0, 79) || 'Comment';
  return Buffer.concat([
    Buffer.from(`${plain}\0\0\0\0\0`, 'latin1'),
    Buffer.from(value.replaceAll('\0', ''), 'utf8'),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** Each row with its filter byte in front. */
function filterRows(
  rowBytes: number,
  height: number,
  step: number,
  pixels: Uint8Array,
): Uint8Array {
  const out = new Uint8Array((rowBytes + 1) * height);
  const candidates = FILTERS.map(() => new Uint8Array(rowBytes));
  for (let row = 0; row < height; row++) {
    const line = row * rowBytes;
    let best = 0;
    let least = Infinity;
    for (const [number, predict] of FILTERS.entries()) {
      const candidate = candidates[number] ?? new Uint8Array(rowBytes);
      let sum = 0;
      for (let i = 0; i < rowBytes; i++) {
        const left = i >= step ? (pixels[line + i - step] ?? 0) : 0;
        const up = row > 0 ? (pixels[line + i - rowBytes] ?? 0) : 0;
        const upLeft = row > 0 && i >= step ? (pixels[line + i - rowBytes - step] ?? 0) : 0;
        const difference = ((pixels[line + i] ?? 0) - predict(left, up, upLeft)) & 0xff;
        candidate[i] = difference;
        sum += difference < 128 ? difference : 256 - difference;
      }
      if (sum < least) [least, best] = [sum, number];
    }
    out[row * (rowBytes + 1)] = best;
    out.set(candidates[best] ?? [], row * (rowBytes + 1) + 1);
  }
  return out;
}

/** None, Sub, Up, Average, Paeth: the value each predicts. */
const FILTERS: readonly ((left: number, up: number, upLeft: number) => number)[] = [
  () => 0,
  left => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, upLeft) => {
    const [a, b, c] = [
      Math.abs(up - upLeft),
      Math.abs(left - upLeft),
      Math.abs(left + up - 2 * upLeft),
    ];
    return a <= b && a <= c ? left : b <= c ? up : upLeft;
  },
];
