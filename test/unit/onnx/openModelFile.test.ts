import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError, type ErrorCode } from '../../../protocol/errors';
import { openFileSource } from '../../../server/src/files/fileSource';
import { openModelFile } from '../../../server/src/files/modelFile';
import { sha256File } from '../../../server/src/files/sha256File';
import { isPlainLocation } from '../../../server/src/onnx/externalLocations';
import { toNumbers } from '../../../server/src/onnx/numbers';
import { describeShared } from '../../shared';
import { fixtureDir, fixturePath, withModel } from './fixtures';

let folder = '';
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layer-lens-files-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return file;
}

function refusal(file: string): { readonly code: ErrorCode; readonly message: string } {
  try {
    openModelFile(file).dispose();
  } catch (error) {
    if (error instanceof UserError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`${file} was opened`);
}

describe('what is no model', () => {
  const whole = fs.readFileSync(fixturePath('subgraphs.onnx'));
  const cases: readonly [string, string | Uint8Array, ErrorCode, string][] = [
    ['empty.onnx', '', 'notOnnx', 'is empty'],
    [
      'lfs.onnx',
      'version https://git-lfs.github.com/spec/v1\noid sha256:5c\nsize 2\n',
      'notOnnx',
      'git lfs pull',
    ],
    ['ort.onnx', Buffer.from('\u0014\0\0\0ORTM\u000c\0'), 'notOnnx', 'ORT format'],
    ['zip.onnx', Buffer.from('PK\u0003\u0004\u0014\0'), 'notOnnx', 'ZIP'],
    ['gzip.onnx', Uint8Array.of(0x1f, 0x8b, 8, 0), 'notOnnx', 'gzip'],
    ['page.onnx', '\n <!DOCTYPE html><p>404', 'notOnnx', 'web page'],
    ['json.onnx', '{ "error": "not found" }', 'notOnnx', 'JSON'],
    ['text.onnx', 'this is not a valid onnx model', 'notOnnx', 'text file'],
    ['keras.onnx', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10), 'notOnnx', 'HDF5'],
    [
      'random.onnx',
      Uint8Array.from({ length: 4000 }, (_, i) => (i * i * 31 + 7) & 255),
      'notOnnx',
      'not an ONNX model',
    ],
    ['version.onnx', Uint8Array.of(8, 7), 'brokenModel', 'no graph'],
    ['noOpset.onnx', Uint8Array.of(8, 7, 0x3a, 4, 0x0a, 2, 0x22, 0), 'brokenModel', 'operator set'],
    ['half.onnx', whole.subarray(0, 5000), 'brokenModel', 'truncated at byte 5000'],
    ['almost.onnx', whole.subarray(0, whole.length - 1), 'brokenModel', 'truncated'],
  ];
  test.each(cases)('%s', (name, content, code, words) => {
    const file = write(name, content);
    const { code: found, message } = refusal(file);
    expect([found, message]).toEqual([code, expect.stringContaining(words)]);
    expect(message.startsWith(file)).toBe(true);
  });

  test('every way to cut a model is named or refused', () => {
    const small = fs.readFileSync(fixturePath('old.onnx'));
    for (let length = 0; length < small.length; length++) {
      const { code } = refusal(write('cut.onnx', small.subarray(0, length)));
      expect(['notOnnx', 'brokenModel']).toContain(code);
    }
  });

  test('a sparse file of 3 GB is refused at once', () => {
    const file = path.join(folder, 'zeros.onnx');
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 3 * 2 ** 30);
    const started = performance.now();
    expect(refusal(file)).toMatchObject({ code: 'notOnnx' });
    expect(performance.now() - started).toBeLessThan(200);
  });

  test('folders, missing files and pipes', () => {
    expect(refusal(folder)).toMatchObject({ code: 'fileUnreadable' });
    expect(refusal(path.join(folder, 'nothing.onnx'))).toMatchObject({ code: 'fileNotFound' });
    expect(refusal(path.join(write('a.txt', 'a'), 'b.onnx')).code).toBe('fileNotFound');
    if (process.platform !== 'win32') expect(refusal('/dev/null').code).toBe('fileUnreadable');
  });
});

describe('a file', () => {
  test('is read by range and refuses what lies beyond it', () => {
    const file = write('bytes.bin', Uint8Array.of(1, 2, 3, 4));
    const source = openFileSource(file);
    expect(source.read(1, 2)).toEqual(Uint8Array.of(2, 3));
    expect(() => source.read(2, 3)).toThrow('has 4 bytes where 5 are needed');
    fs.truncateSync(file, 2);
    expect(() => source.read(1, 2)).toThrow('became shorter');
    expect(source.identity).toMatchObject({ size: 4 });
    source.dispose();
    source.dispose();
    expect(() => source.read(0, 1)).toThrow('after it was closed');
  });

  test('has a digest, unless that is cancelled', async () => {
    const file = fixturePath('subgraphs.onnx');
    const expected = createHash('sha256').update(fs.readFileSync(file)).digest('hex');
    expect(await sha256File(file, new AbortController().signal)).toBe(expected);
    await expect(sha256File(file, AbortSignal.abort())).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(
      sha256File(path.join(folder, 'nothing'), new AbortController().signal),
    ).rejects.toMatchObject({ code: 'fileNotFound' });
  });
});

describe('external data', () => {
  test('is read by offset, with and without a length', async () => {
    await withModel(
      fixturePath('external.onnx'),
      ({ model, files, requireExternalFiles }, read) => {
        const { initializers } = model.graph;
        const [first, second] = [...initializers.values()];
        if (!first || !second) throw new Error('tensors are not there');
        expect(toNumbers(read(first))).toEqual(Array.from({ length: 600 }, (_, i) => i / 8));
        expect(toNumbers(read(second))).toEqual([-0, -0.125, -0.25, -0.375]);
        expect(files).toEqual(
          ['external.onnx', 'external.bin', path.join('parts', 'more.bin')].map(fixturePath),
        );
        requireExternalFiles();
      },
    );
  });

  test.each([
    ['missing', 'missingExternalData', 'put that file beside the model'],
    ['outside', 'missingExternalData', 'not inside its folder'],
    ['too_short', 'brokenModel', 'too short for the tensor "too_short"'],
  ])('%s is refused when it is asked for', async (name, code, words) => {
    await withModel(fixturePath('external_bad.onnx'), (opened, read) => {
      const ref = opened.model.graph.initializers.get(name);
      if (!ref) throw new Error('the tensor is not there');
      expect(() => read(ref)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(words) }),
      );
      expect(opened.files).not.toContain(path.resolve(fixtureDir, '../types.json'));
    });
  });

  test.skipIf(process.platform === 'win32')(
    'a link out of the folder is refused, a linked cache is not',
    () => {
      const cache = path.join(folder, 'cache');
      const blobs = path.join(cache, 'blobs');
      write('cache/blobs/m', fs.readFileSync(fixturePath('external.onnx')));
      write('cache/blobs/d', fs.readFileSync(fixturePath('external.bin')));
      const snapshot = path.join(cache, 'snapshot');
      fs.mkdirSync(snapshot);
      fs.symlinkSync(path.join(blobs, 'd'), path.join(snapshot, 'external.bin'));
      fs.copyFileSync(fixturePath('external.onnx'), path.join(snapshot, 'copied.onnx'));
      fs.symlinkSync(path.join(blobs, 'm'), path.join(snapshot, 'linked.onnx'));

      const copied = openModelFile(path.join(snapshot, 'copied.onnx'));
      expect(() => copied.external('external.bin')).toThrow('a link that leads out of its folder');
      copied.dispose();
      const linked = openModelFile(path.join(snapshot, 'linked.onnx'));
      expect(linked.external('external.bin').size).toBe(2407);
      linked.dispose();
    },
  );

  test('the fingerprint changes with either file', () => {
    const model = write('fp/external.onnx', fs.readFileSync(fixturePath('external.onnx')));
    const print = (): string => {
      const opened = openModelFile(model);
      opened.dispose();
      return opened.fingerprint;
    };
    const before = print();
    expect(print()).toBe(before);
    write('fp/external.bin', 'a');
    const between = print();
    expect(between).not.toBe(before);
    fs.appendFileSync(model, Uint8Array.of(0x1a, 0));
    expect(print()).not.toBe(between);
  });

  test.each([
    '',
    '/etc/passwd',
    '../a',
    'a/../../b',
    'a\\b',
    'C:a',
    '*/_ORT_MEM_ADDR_/*',
    'a//b',
    '.',
    'a\0',
  ])('%j is no plain location', location => expect(isPlainLocation(location)).toBe(false));
  test.each(['weights.bin', 'parts/more.bin', './a.bin', 'a..b', 'model.onnx.data'])(
    '%j is a plain location',
    location => expect(isPlainLocation(location)).toBe(true),
  );
});

describeShared('files of the shared folder', dir => {
  const models = path.join(dir, 'models');
  test('are read, or refused with one sentence', () => {
    const refused: string[] = [];
    for (const name of fs.readdirSync(models).filter(each => /\.(onnx|ort)$/.test(each)))
      try {
        const opened = openModelFile(path.join(models, name));
        expect(opened.model.graph.nodes.length).toBeGreaterThan(0);
        expect(opened.model.problems).toEqual([]);
        opened.dispose();
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused.push(name);
      }
    expect(refused).toEqual([
      'bad_empty.onnx',
      'bad_lfs_pointer.onnx',
      'bad_names.onnx',
      'bad_truncated.onnx',
      'corrupt_winml.onnx',
      'ort_mnist_basic.ort',
    ]);
  });
});
