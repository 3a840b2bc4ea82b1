import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../server/src/image/decode';
import { fixtureBytes, fixtureJson, maximumDifference, rgbOf } from './fixtures';

interface Reference {
  readonly width: number;
  readonly height: number;
  readonly rgb: string;
}
const references = fixtureJson('pixels.json') as Record<string, Reference>;

/** Largest difference to Pillow's decoder that is accepted, 0 where the format is lossless. */
const tolerance = (name: string): number => {
  // jpeg-js and libjpeg-turbo round the inverse transform and the colour conversion differently.
  if (/^(444|progressive|grey|exif\d)\.jpg$/.test(name)) return 3;
  // Halved chroma: libjpeg-turbo interpolates it, jpeg-js repeats it, which differs at hard colour edges.
  if (name === '420.jpg') return 90;
  return name === 'lossy.webp' ? 1 : 0;
};

describe('decodeImage against Pillow', () => {
  it.each(Object.keys(references))('%s', async name => {
    const expected = references[name];
    const { raster } = await decodeImage(fixtureBytes(name), name);
    expect({ width: raster.width, height: raster.height }).toEqual({
      width: expected?.width,
      height: expected?.height,
    });
    const difference = maximumDifference(rgbOf(raster), Buffer.from(expected?.rgb ?? '', 'base64'));
    expect(difference).toBeLessThanOrEqual(tolerance(name));
  });
});

describe('decodeImage', () => {
  const notes = async (name: string): Promise<string> =>
    (await decodeImage(fixtureBytes(name), name)).notes.join(' ');

  it('says what it did to the picture', async () => {
    expect(await notes('rgb.png')).toBe('');
    expect(await notes('rgb16.png')).toMatch(/from 16 to 8 bits/);
    expect(await notes('grey16.tiff')).toMatch(/from 16 to 8 bits/);
    expect(await notes('alpha.png')).toMatch(/Transparency is dropped/);
    expect(await notes('animated.gif')).toMatch(/first frame/);
    expect(await notes('pages.tiff')).toMatch(/several pages/);
    expect(await notes('exif6.jpg')).toMatch(/EXIF orientation 6/);
  });

  it('keeps alpha', async () => {
    const { raster } = await decodeImage(fixtureBytes('alpha.png'), 'alpha.png');
    expect(raster.rgba[4 * 200 + 3]).toBe(200);
  });

  const refused: [string, () => Buffer, RegExp][] = [
    ['an empty file', () => Buffer.alloc(0), /a\.png is empty/],
    ['text', () => Buffer.from('hello, this is no picture'), /not a picture in a known format/],
    ['AVIF', () => Buffer.from('\0\0\0\x20ftypavif\0\0\0\0', 'latin1'), /an AVIF picture/],
    ['HEIC', () => Buffer.from('\0\0\0\x20ftypheic\0\0\0\0', 'latin1'), /a HEIC picture/],
    ['SVG', () => Buffer.from('<?xml version="1.0"?>\n<svg xmlns="x"/>'), /an SVG picture/],
    ['a cut PNG', () => fixtureBytes('rgb.png').subarray(0, 200), /broken or cut short/],
    ['a cut JPEG', () => fixtureBytes('444.jpg').subarray(0, 400), /broken or cut short/],
    [
      'a PNG that claims 50000×50000',
      () => claim('rgb.png', 16, 50000, 50000),
      /50000×50000 pixels, more than the 100 million/,
    ],
    [
      'a BMP that claims 20000×20000',
      () => claimLittle('rgb.bmp', 18, 20000),
      /20000×20000 pixels/,
    ],
    ['CMYK TIFF', () => fixtureBytes('cmyk.tiff'), /neither grey, RGB nor a palette/],
  ];
  const claim = (name: string, at: number, width: number, height: number): Buffer => {
    const bytes = Buffer.from(fixtureBytes(name));
    bytes.writeUInt32BE(width, at);
    bytes.writeUInt32BE(height, at + 4);
    return bytes;
  };
  const claimLittle = (name: string, at: number, side: number): Buffer => {
    const bytes = Buffer.from(fixtureBytes(name));
    bytes.writeUInt32LE(side, at);
    bytes.writeUInt32LE(side, at + 4);
    return bytes;
  };

  it.each(refused)(
    'refuses %s in one sentence that names the file',
    async (_what, make, message) => {
      await expect(decodeImage(make(), 'a.png')).rejects.toMatchObject({
        name: 'UserError',
        code: 'badImage',
        message: expect.stringMatching(message),
      });
    },
  );
});
