import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../../server/src/image/npy';
import { toFloat32 } from '../../../server/src/onnx/numbers';
import type { Tensor } from '../../../server/src/onnx/tensor';
import { seededFloats } from '../../bench/onnxWriter';
import {
  fixture,
  floats,
  inputOf,
  largestDifference,
  patterns,
  references,
} from '../attention/fixtures';
import { buildCli, type BuiltCli, type Outcome } from './builtCli';

const { vit } = references;

let cli: BuiltCli;
let folder: string;
let out: string;

beforeAll(async () => {
  cli = await buildCli();
  folder = path.join(cli.folder, 'attention');
  out = path.join(folder, 'out');
  mkdirSync(folder);
});
afterAll(() => cli.dispose());

/** Writes an array; gives its path. */
function array(name: string, tensor: Tensor): string {
  const file = path.join(folder, name);
  writeFileSync(file, writeNpy(tensor).bytes);
  return file;
}

const random = (...shape: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: seededFloats(
    1,
    shape.reduce((a, b) => a * b, 1),
    1,
  ),
});

const run = (model: string, ...words: string[]): Promise<Outcome> =>
  cli.run(['attention', fixture(model), ...words, '--out', out]);

const read = (name: string): Tensor => readNpy(readFileSync(path.join(out, name)), name);

describe('attention', () => {
  test('writes weights, gradients, the map over layers and the overlay', async () => {
    const input = array('picture.npy', floats(vit.input));
    const words = ['--input', input, '--target', 'class=1', '--gradients', '--json'];
    const { status, stdout, stderr } = await run(vit.model, ...words);
    expect([status, stderr]).toEqual([0, '']);
    expect(readdirSync(out).sort()).toEqual([
      'attention-0.npy',
      'attention-1.npy',
      'attention-gradient-0.npy',
      'attention-gradient-1.npy',
      'cls.npy',
      'overlay.png',
      'result.json',
      'rollout.npy',
    ]);
    const weights = read('attention-1.npy');
    expect(weights).toMatchObject({ dtype: 'float32', shape: [1, 2, 8, 8] });
    const second = (values: readonly number[]) => values.slice(128);
    expect(largestDifference(toFloat32(weights), second(vit.probabilities))).toBeLessThan(1e-5);
    const gradient = toFloat32(read('attention-gradient-1.npy'));
    expect(largestDifference(gradient, second(vit.gradients))).toBeLessThan(1e-5);
    const rollout = read('rollout.npy');
    expect(rollout.shape).toEqual([1, 8, 8]);
    expect(largestDifference(toFloat32(rollout), vit.rollout.mean)).toBeLessThan(1e-5);
    const cls = read('cls.npy');
    expect(cls.shape).toEqual([1, 3, 2]);
    expect(largestDifference(toFloat32(cls), vit.rollout.mean.slice(2, 8))).toBeLessThan(1e-5);

    const result = JSON.parse(stdout);
    expect(JSON.parse(readFileSync(path.join(out, 'result.json'), 'utf8'))).toEqual(result);
    expect(result).toMatchObject({
      method: 'rollout',
      grid: { rows: 3, columns: 2, prefixTokens: 2 },
      token: 0,
      attention: [
        { index: 0, heads: 2, kind: 'self', statistics: [{}, {}] },
        { index: 1, heads: 2 },
      ],
      warnings: [],
    });
    expect(result.note).toContain('not importance');
  });

  test.each(['flow', 'gradient-rollout'] as const)('--method %s', async method => {
    const input = array('picture.npy', floats(vit.input));
    const { status } = await run(
      vit.model,
      '--input',
      input,
      '--method',
      method,
      '--target',
      'class=1',
    );
    expect(status).toBe(0);
    const wanted = method === 'flow' ? vit.flow : vit.relevance;
    expect(largestDifference(toFloat32(read('rollout.npy')), wanted)).toBeLessThan(1e-5);
  });

  test('without a grid there is no map on a picture, and that is said', async () => {
    const input = array('sequence.npy', random(1, 7, 12));
    const { status, stderr } = await cli.run([
      ...['attention', fixture('fusedDynamic.onnx'), '--input', input],
      ...['--out', path.join(folder, 'sequence')],
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain('lie on no grid');
    expect(readdirSync(path.join(folder, 'sequence')).sort()).toEqual([
      'attention-0.npy',
      'result.json',
      'rollout.npy',
    ]);
  });

  test('a windowed model has weights, and the map of its last block', async () => {
    const pattern = patterns.find(({ name }) => name === 'windowed');
    const given = pattern?.inputs['input0'];
    if (!given) throw new Error('there is no windowed');
    const target = path.join(folder, 'windows');
    const { status, stderr } = await cli.run([
      ...['attention', fixture('windowed.onnx'), '--input', array('grid.npy', inputOf(given))],
      ...['--out', target],
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain('windowed attention');
    const cls = readNpy(readFileSync(path.join(target, 'cls.npy')), 'cls.npy');
    expect(cls.shape).toEqual([2, 4, 6]);
    // the mean of all rows, each of which adds up to 1
    expect(toFloat32(cls).reduce((a, b) => a + b, 0)).toBeCloseTo(2, 4);
  });
});

describe('what cannot be done is said in a sentence', () => {
  const cases: readonly (readonly [string, () => Promise<Outcome>, number, RegExp])[] = [
    [
      'no attention, but gates',
      () => run('squeezeExcite.onnx', '--input', array('map.npy', random(2, 12, 4, 4))),
      3,
      /^layer-lens: squeezeExcite\.onnx has 1 squeeze-excite gates, but no attention with weights; use explain/,
    ],
    [
      'no attention',
      () => run('softArgmax.onnx', '--input', array('map.npy', random(2, 12, 4, 4))),
      3,
      /^layer-lens: softArgmax\.onnx has no attention; use explain/,
    ],
    [
      'a sequence too long for a matrix',
      () =>
        run(
          'fusedDynamic.onnx',
          ...['--input', array('long.npy', random(1, 1600, 12)), '--method', 'rollout'],
        ),
      3,
      /^layer-lens: 1600 tokens are too many for a matrix over all layers/,
    ],
    [
      'a mask that hides everything',
      () => {
        const none: Tensor = { dtype: 'int64', shape: [2, 7], data: new BigInt64Array(14) };
        const tokens = array('tokens.npy', random(2, 7, 12));
        const mask = `input1=${array('mask.npy', none)}`;
        return run('fedMask.onnx', '--input', tokens, '--input', mask);
      },
      2,
      /hides every key .* feed a mask that leaves at least one token visible\.\n$/,
    ],
    [
      'no input',
      () => run(vit.model),
      2,
      /^layer-lens: Say what smallVit\.onnx is fed: --input PICTURE or --input FILE\.npy\.\n$/,
    ],
    [
      'a token that is none',
      () => run(vit.model, '--input', array('picture.npy', floats(vit.input)), '--token', '8'),
      2,
      /^layer-lens: There are 8 tokens \(0 to 7\); 8 is none of them\.\n$/,
    ],
    [
      'a method that is none',
      () => run(vit.model, '--input', array('picture.npy', floats(vit.input)), '--method', 'bert'),
      2,
      /^layer-lens: --method bert is none of raw, rollout, flow, gradient-rollout\.\n$/,
    ],
  ];
  test.each(cases)('%s', async (_, attempt, status, sentence) => {
    const before = existsSync(out) ? readdirSync(out).sort() : [];
    const outcome = await attempt();
    expect(outcome.status).toBe(status);
    expect(outcome.stderr).toMatch(sentence);
    expect(existsSync(out) ? readdirSync(out).sort() : []).toEqual(before);
  });
});
