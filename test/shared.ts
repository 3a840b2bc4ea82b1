import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'vitest';

const candidate =
  process.env['LAYER_LENS_SHARED'] ?? path.resolve(import.meta.dirname, '../../shared');

/** The folder with models, images and goldens that this project does not ship; null where it is absent. */
export const sharedDir: string | null = existsSync(path.join(candidate, 'models'))
  ? candidate
  : null;

/** A suite that needs the shared folder. Where it is absent the suite is left out as a whole, and the test runner's summary names it. */
export const describeShared = (name: string, suite: (dir: string) => void): void => {
  if (sharedDir !== null) describe(`[shared] ${name}`, () => suite(sharedDir));
  else describe.skip(`[shared] ${name}`, () => test('is left out'));
};
