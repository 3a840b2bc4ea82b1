import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  parseChoices,
  writeChoices,
} from '../../../server/src/workspace/preprocessing/choicesFile';
import { parsePythonLiteral } from '../../../server/src/workspace/preprocessing/pythonLiteral';
import { readSidecars } from '../../../server/src/workspace/preprocessing/sidecars';

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'sidecars-'));
  mkdirSync(path.join(root, 'model/onnx'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const put = (file: string, text = '{}'): void => writeFileSync(path.join(root, file), text);
const names = async (model: string): Promise<string[]> =>
  (await readSidecars(path.join(root, model))).files.map(file => file.name);

describe('readSidecars', () => {
  it('looks beside the model, and one level above only from a folder called onnx', async () => {
    put('config.json');
    put('model/config.json');
    put('model/preprocessor_config.json');
    put('model/onnx/labels.txt', 'a');
    put('model/onnx/m.onnx.layerlens.json');
    put('model/onnx/other.onnx.layerlens.json');
    put('model/onnx/notes.txt');
    expect(await names('model/onnx/m.onnx')).toEqual([
      'labels.txt',
      'm.onnx.layerlens.json',
      '../config.json',
      '../preprocessor_config.json',
    ]);
    expect(await names('model/m.onnx')).toEqual(['config.json', 'preprocessor_config.json']);
  });

  it('reads no link that leads out of the folder, and says so', async () => {
    put('secret.txt', 'secret');
    symlinkSync(path.join(root, 'secret.txt'), path.join(root, 'model/labels.txt'));
    const { files, problems } = await readSidecars(path.join(root, 'model/m.onnx'));
    expect(files).toEqual([]);
    expect(problems[0]?.message).toMatch(/labels\.txt is a link that leads out/);
  });

  it('reads links beside the linked model, as the Hugging Face cache has them', async () => {
    mkdirSync(path.join(root, 'blobs'));
    put('blobs/a', '{}');
    put('blobs/b', 'model');
    symlinkSync('../blobs/a', path.join(root, 'model/config.json'));
    symlinkSync('../blobs/b', path.join(root, 'model/m.onnx'));
    expect(await names('model/m.onnx')).toEqual(['config.json']);
  });

  it('refuses files that are too large, and goes on without a folder', async () => {
    put('model/labels.txt', 'x'.repeat((4 << 20) + 1));
    expect((await readSidecars(path.join(root, 'model/m.onnx'))).problems[0]?.message).toMatch(
      /labels\.txt has 4194305 bytes/,
    );
    expect(await readSidecars(path.join(root, 'nowhere/m.onnx'))).toEqual({
      files: [],
      problems: [],
    });
  });
});

describe('choices file', () => {
  it('is read back as it was written, and leaves no other file', async () => {
    const choices = {
      preprocessing: { x: { mean: [1, 2, 3], resize: 'crop' as const, width: 64 } },
      image: '../cat.png',
      labels: 'labels.txt',
    };
    await writeChoices(path.join(root, 'm.onnx'), choices);
    const text = readFileSync(path.join(root, 'm.onnx.layerlens.json'), 'utf8');
    expect(parseChoices(text, 'm.onnx.layerlens.json')).toEqual({ choices, problems: [] });
    expect(readdirSync(root).sort()).toEqual(['m.onnx.layerlens.json', 'model']);
  });

  it('goes away with the last choice', async () => {
    await writeChoices(path.join(root, 'm.onnx'), { preprocessing: {}, image: 'a.png' });
    await writeChoices(path.join(root, 'm.onnx'), { preprocessing: { x: {} } });
    expect(readdirSync(root)).toEqual(['model']);
  });

  it('says that the folder cannot be written', async () => {
    await expect(
      writeChoices(path.join(root, 'none/m.onnx'), { preprocessing: {}, image: 'a' }),
    ).rejects.toMatchObject({ code: 'fileUnreadable' });
  });
});

describe('parsePythonLiteral', () => {
  it.each([
    ['[640, 640]', [640, 640]],
    ['(1, -2.5e3, True, None)', [1, -2500, true, null]],
    ["'it\\'s \\x41\\n'", "it's A\n"],
    ['[]', []],
    ['32', 32],
  ])('%s', (text, value) => expect(parsePythonLiteral(text)).toEqual(value));

  it('reads dicts with any quotes', () => {
    expect(parsePythonLiteral(`{0: 'person', 1: "bird's", 'k': [1,],}`)).toEqual(
      new Map<string, unknown>([
        ['0', 'person'],
        ['1', "bird's"],
        ['k', [1]],
      ]),
    );
  });

  it.each([
    '',
    '__import__("os")',
    '{0: }',
    "'open",
    '[1 2]',
    '{[1]: 2}',
    '1 + 1',
    '['.repeat(100_000),
  ])('refuses %j', text => {
    expect(parsePythonLiteral(text)).toBeUndefined();
  });
});
