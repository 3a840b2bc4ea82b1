import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { PreprocessingSpec, Traced } from '../../../protocol/preprocessing';
import type { Raster } from '../../../server/src/image/raster';

/** Made by test/fixtures/image/make.py with Pillow and numpy. */
export const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures/image');

export const fixtureBytes = (name: string): Buffer => readFileSync(path.join(FIXTURES, name));
export const fixtureJson = (name: string): unknown =>
  JSON.parse(fixtureBytes(name).toString('utf8'));

export const sha256 = (data: ArrayBufferView): string =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');

export const rgbOf = (raster: Raster): Uint8Array => {
  const out = new Uint8Array(raster.width * raster.height * 3);
  for (let i = 0; i < raster.width * raster.height; i++)
    out.set(raster.rgba.subarray(4 * i, 4 * i + 3), 3 * i);
  return out;
};

export const maximumDifference = (a: Uint8Array, b: Uint8Array): number => {
  if (a.length !== b.length) return Infinity;
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? 0))), 0);
};

type Plain = {
  [K in keyof PreprocessingSpec]: PreprocessingSpec[K] extends Traced<infer T>
    ? T
    : PreprocessingSpec[K];
};

/** A spec of plain values. */
export const makeSpec = (values: Partial<Plain> = {}): PreprocessingSpec => {
  const traced = <T>(value: T): Traced<T> => ({ value, from: 'test', guessed: false });
  return {
    input: 'input',
    layout: traced(values.layout ?? 'NCHW'),
    size: traced(values.size ?? { width: 224, height: 224 }),
    channels: traced(values.channels ?? 'RGB'),
    scale: traced(values.scale ?? 1 / 255),
    mean: traced(values.mean ?? [0]),
    std: traced(values.std ?? [1]),
    resize: traced(values.resize ?? 'crop'),
    shortestSide: traced(values.shortestSide ?? 256),
    border: traced(values.border ?? 114),
    interpolation: traced(values.interpolation ?? 'bilinear'),
    notes: [],
  };
};
