import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelDescription } from '../../../protocol/model';
import { readNpy, writeNpy } from '../../../server/src/image/npy';
import { encodePng } from '../../../server/src/image/png';
import { seededFloats, writeModel, type NodeInput } from '../../bench/onnxWriter';
import { buildCli, type BuiltCli, type Outcome } from './builtCli';

/** A long chain of convolutions, for interrupting. */
const LONG_CHAIN = 60;

let cli: BuiltCli;
let folder: string;
let model: string;
let picture: string;

beforeAll(async () => {
  cli = await buildCli();
  folder = path.join(cli.folder, 'work');
  mkdirSync(folder);
  model = path.join(folder, 'model with spaces.onnx');
  const weight = seededFloats(1, 16 * 27, 0.4);
  writeFileSync(
    model,
    writeModel({
      nodes: [
        {
          op: 'Conv',
          name: '/stem/Conv',
          inputs: ['image', 'stem.weight'],
          outputs: ['/stem/Conv_output_0'],
          attributes: { strides: [2, 2] },
        },
        {
          op: 'Relu',
          name: '/stem/Relu',
          inputs: ['/stem/Conv_output_0'],
          outputs: ['/STEM/conv_output_0'],
        },
        {
          op: 'GlobalAveragePool',
          name: 'pool',
          inputs: ['/STEM/conv_output_0'],
          outputs: ['pooled'],
        },
        { op: 'Flatten', name: 'flat', inputs: ['pooled'], outputs: ['flattened'] },
        { op: 'MatMul', name: 'fc', inputs: ['flattened', 'fc.weight'], outputs: ['logits'] },
      ],
      inputs: [{ name: 'image', shape: [1, 3, 32, 32] }],
      outputs: [{ name: 'logits', shape: [1, 10] }],
      initializers: [
        { name: 'stem.weight', shape: [16, 3, 3, 3], data: weight },
        { name: 'fc.weight', shape: [16, 10], data: seededFloats(2, 160, 1) },
      ],
    }),
  );
  picture = path.join(folder, 'picture.png');
  const pixels = Uint8Array.from({ length: 48 * 40 * 3 }, (_, i) => (i * 37) % 256);
  writeFileSync(picture, encodePng(48, 40, 3, pixels));
});
afterAll(() => cli.dispose());

const out = (name: string): string => path.join(folder, name);
const sentence = (outcome: Outcome): string => {
  expect(outcome.stdout).toBe('');
  expect(outcome.stderr).toMatch(/^layer-lens: [^\n]+[.?]\n$/);
  return outcome.stderr.slice('layer-lens: '.length).trim();
};

describe('layer-lens', () => {
  it('prints help and version', async () => {
    const help = await cli.run([]);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    for (const name of ['inspect', 'filters', 'tensors', 'preprocess']) {
      expect(help.stdout).toContain(name);
      const one = await cli.run([name, '--help']);
      expect(one).toMatchObject({ status: 0, stderr: '' });
      expect(one.stdout).toContain(`Example: layer-lens ${name} `);
    }
    const version = await cli.run(['--version']);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['inspct', 'm.onnx'], 'did you mean layer-lens inspect?'],
    [['inspect', '--jsn', 'm.onnx'], 'did you mean --json?'],
    [['inspect'], 'MODEL is missing'],
    [['inspect', 'nowhere.onnx'], 'nowhere.onnx'],
    [['inspect', '.'], 'is a folder'],
    [['tensors', 'MODEL', '--out', 'OUT'], 'Say which values'],
    [['tensors', 'MODEL', '--layer', 'fc', '--out', 'OUT'], 'takes a picture as "image"'],
    [
      ['tensors', 'MODEL', '--input', 'PICTURE', '--tensor', 'nothing', '--out', 'OUT'],
      '"nothing"',
    ],
    [['tensors', 'MODEL', '--layer', 'stm', '--out', 'OUT'], 'nearest names'],
    [
      ['tensors', 'MODEL', '--tensor', 'logits', '--input', 'nothing.png', '--out', 'OUT'],
      'nothing.png',
    ],
    [
      ['tensors', 'MODEL', '--tensor', 'logits', '--input', 'mask=a.png', '--out', 'OUT'],
      'no input "mask"',
    ],
    [
      [
        'tensors',
        'MODEL',
        '--tensor',
        'logits',
        '--input',
        'PICTURE',
        '--input',
        'PICTURE',
        '--out',
        'OUT',
      ],
      'given twice',
    ],
    [['filters', 'MODEL', '--layer', 'stem.weight', '--out', 'PICTURE'], 'is a file'],
    [['preprocess', 'MODEL', '--input', 'MODEL', '--out', 'OUT'], 'model with spaces.onnx'],
  ])('answers %j with status 2 and one sentence, and writes nothing', async (words, part) => {
    const real: Readonly<Record<string, string>> = {
      MODEL: model,
      PICTURE: picture,
      OUT: out('refused'),
    };
    const before = readdirSync(folder);
    const outcome = await cli.run(words.map(word => real[word] ?? word));
    expect(outcome.status).toBe(2);
    expect(sentence(outcome)).toContain(part);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('answers what the model cannot do with status 3', async () => {
    const outcome = await cli.run([
      'filters',
      model,
      '--layer',
      '/stem/Relu',
      '--out',
      out('none'),
    ]);
    expect(outcome.status).toBe(3);
    expect(sentence(outcome)).toContain('"/stem/Relu" (Relu) has no weights');
    expect(existsSync(out('none'))).toBe(false);
  });

  it('prints a stack only when asked to', async () => {
    const outcome = await cli.run(['inspect', 'nowhere.onnx', '--verbose']);
    expect(outcome.status).toBe(2);
    expect(outcome.stderr).toContain('    at ');
  });
});

describe('inspect', () => {
  it('lists the layers as text and as one JSON document', async () => {
    const text = await cli.run(['inspect', model]);
    expect(text).toMatchObject({ status: 0, stderr: '' });
    expect(text.stdout).toContain('image: float32[1, 3, 32, 32]');
    expect(text.stdout).toContain('Conv 3→16 · 3×3 · stride 2');
    expect(
      Math.max(
        ...text.stdout
          .split('\n')
          .slice(8)
          .map(line => line.length),
      ),
    ).toBeLessThanOrEqual(100);
    const json = await cli.run(['inspect', model, '--json']);
    const description: ModelDescription = JSON.parse(json.stdout);
    expect(description.layers.map(layer => layer.id)).toEqual([
      '/stem/Conv',
      '/stem/Relu',
      'pool',
      'flat',
      'fc',
    ]);
    expect(description.layers[0]).toMatchObject({
      op: 'Conv',
      kind: 'conv',
      outputShape: [1, 16, 15, 15],
      parameterCount: 432,
    });
    for (const key of [
      'path',
      'irVersion',
      'opsets',
      'producer',
      'inputs',
      'outputs',
      'layers',
      'attention',
      'preprocessing',
      'problems',
    ])
      expect(description).toHaveProperty(key);
  });

  it('takes channels that the shape leaves open from the first Conv', async () => {
    const file = path.join(folder, 'open.onnx');
    writeFileSync(
      file,
      writeModel({
        nodes: [
          { op: 'Shape', inputs: ['pixel_values'], outputs: ['sizes'] },
          { op: 'Conv', inputs: ['pixel_values', 'w'], outputs: ['y'], attributes: { group: 3 } },
        ],
        inputs: [
          { name: 'pixel_values', shape: ['batch_size', 'num_channels', 'height', 'width'] },
        ],
        outputs: [
          { name: 'y', shape: null },
          { name: 'sizes', shape: null },
        ],
        initializers: [{ name: 'w', shape: [3, 1, 1, 1], data: seededFloats(5, 3, 1) }],
      }),
    );
    const outcome = await cli.run(['inspect', file, '--json']);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      preprocessing: [
        {
          layout: { value: 'NCHW', from: expect.stringContaining('first Conv takes 3 channels') },
          channels: { value: 'RGB' },
        },
      ],
    });
  });

  it('names a weight file that is missing', async () => {
    const file = path.join(folder, 'apart.onnx');
    const data = { location: 'gone.bin', offset: 0, length: 4 * 9 };
    writeFileSync(
      file,
      writeModel({
        nodes: [{ op: 'Conv', name: 'conv', inputs: ['x', 'w'], outputs: ['y'] }],
        inputs: [{ name: 'x', shape: [1, 3, 8, 8] }],
        outputs: [{ name: 'y', shape: null }],
        initializers: [{ name: 'w', shape: [3, 3, 1, 1], data }],
      }),
    );
    const outcome = await cli.run(['inspect', file, '--json']);
    expect(outcome.status).toBe(0);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      problems: [{ severity: 'error', message: expect.stringContaining('"gone.bin"') }],
      layers: [{ id: 'conv', outputShape: [1, 3, 8, 8] }],
    });
  });
});

describe('filters', () => {
  it.each(['stem.weight', '/stem/Conv', '/stem/Conv_output_0'])(
    'finds the layer by %s and writes its weights',
    async name => {
      const target = out(`filters-${name.replace(/\W/g, '_')}`);
      const outcome = await cli.run(['filters', model, '--layer', name, '--out', target, '--json']);
      expect(outcome.status).toBe(0);
      expect(readdirSync(target).sort()).toEqual(['filters.png', 'result.json', 'weights.npy']);
      const array = readNpy(
        Uint8Array.from(readFileSync(path.join(target, 'weights.npy'))),
        'weights.npy',
      );
      expect(array.shape).toEqual([16, 3, 3, 3]);
      expect(array.data).toEqual(seededFloats(1, 16 * 27, 0.4));
      const result: unknown = JSON.parse(outcome.stdout);
      expect(result).toEqual(JSON.parse(readFileSync(path.join(target, 'result.json'), 'utf8')));
      expect(result).toMatchObject({
        method: 'filters',
        layer: '/stem/Conv',
        tensors: ['stem.weight'],
        model: { sha256: { 'model with spaces.onnx': expect.stringMatching(/^[0-9a-f]{64}$/) } },
        versions: { 'onnxruntime-node': expect.any(String) },
      });
    },
  );

  it('takes the layer with weights of a module, and lists them where there are several', async () => {
    const file = path.join(folder, 'modules.onnx');
    const conv = (name: string, from: string, to: string): NodeInput => ({
      op: 'Conv',
      name: `/net/${name}/Conv`,
      inputs: [from, `net.${name}.weight`],
      outputs: [to],
    });
    const weight = (name: string) => ({
      name: `net.${name}.weight`,
      shape: [3, 3, 1, 1],
      data: seededFloats(4, 9, 1),
    });
    writeFileSync(
      file,
      writeModel({
        nodes: [
          conv('a.conv', 'x', 'one'),
          { op: 'Relu', name: '/net/a/Relu', inputs: ['one'], outputs: ['two'] },
          conv('b', 'two', 'three'),
          { op: 'Relu', name: '/net/Relu', inputs: ['three'], outputs: ['y'] },
        ],
        inputs: [{ name: 'x', shape: [1, 3, 8, 8] }],
        outputs: [{ name: 'y', shape: null }],
        initializers: [weight('a.conv'), weight('b')],
      }),
    );
    const run = (name: string): Promise<Outcome> =>
      cli.run(['filters', file, '--layer', name, '--out', out('modules'), '--json']);
    const one = await run('net.a');
    expect(one.status).toBe(0);
    expect(JSON.parse(one.stdout)).toMatchObject({ layer: '/net/a.conv/Conv' });
    const several = await run('net');
    expect(several.status).toBe(2);
    expect(several.stderr).toContain('fits 2 layers with weights: /net/a.conv/Conv, /net/b/Conv');
  });

  it('gives the same bytes for the same request', async () => {
    const read = async (name: string): Promise<Buffer> => {
      await cli.run(['filters', model, '--layer', 'fc', '--out', out(name)]);
      return readFileSync(path.join(out(name), 'filters.png'));
    };
    expect(await read('twice-a')).toEqual(await read('twice-b'));
  });
});

describe('preprocess and tensors', () => {
  it('write the exact tensor that a picture becomes, as it is then fed', async () => {
    const options = [
      '--scale',
      '1',
      '--mean',
      '10,20,30',
      '--std',
      '2',
      '--channels',
      'BGR',
      '--resize',
      'stretch',
    ];
    const file = out('fed.npy');
    const outcome = await cli.run([
      'preprocess',
      model,
      '--input',
      picture,
      ...options,
      '--out',
      file,
      '--json',
    ]);
    expect(outcome.status).toBe(0);
    const fed = readNpy(Uint8Array.from(readFileSync(file)), 'fed.npy');
    expect(fed).toMatchObject({ shape: [1, 3, 32, 32], dtype: 'float32' });
    const record: { readonly warnings?: readonly string[] } = JSON.parse(outcome.stdout);
    expect(record.warnings).toEqual([...new Set(record.warnings)]);
    expect(record).toMatchObject({
      input: 'image',
      preprocessing: [
        {
          channels: { value: 'BGR', guessed: false },
          mean: { value: [10, 20, 30] },
          scale: { value: 1 },
        },
      ],
    });
    const direct = await cli.run([
      'tensors',
      model,
      '--input',
      picture,
      ...options,
      '--tensor',
      'image',
      '--tensor',
      'logits',
      '--out',
      out('direct'),
    ]);
    const through = await cli.run([
      'tensors',
      model,
      '--input',
      `image=${file}`,
      '--tensor',
      'image',
      '--tensor',
      'logits',
      '--out',
      out('through'),
    ]);
    expect([direct.status, through.status]).toEqual([0, 0]);
    for (const name of ['image.npy', 'logits.npy'])
      expect(readFileSync(path.join(out('direct'), name))).toEqual(
        readFileSync(path.join(out('through'), name)),
      );
    expect(
      readNpy(Uint8Array.from(readFileSync(path.join(out('direct'), 'image.npy'))), '').data,
    ).toEqual(fed.data);
  });

  it('write the output of every layer under names that differ on every file system', async () => {
    const outcome = await cli.run([
      'tensors',
      model,
      '--input',
      picture,
      '--all-layers',
      '--out',
      out('all'),
      '--json',
    ]);
    expect(outcome.status).toBe(0);
    const index: Record<string, string> = JSON.parse(
      readFileSync(path.join(out('all'), 'index.json'), 'utf8'),
    );
    expect(Object.keys(index)).toEqual([
      '/stem/Conv_output_0',
      '/STEM/conv_output_0',
      'pooled',
      'flattened',
      'logits',
    ]);
    const files = Object.values(index);
    expect(new Set(files.map(file => file.toLowerCase())).size).toBe(5);
    for (const file of files) expect(existsSync(path.join(out('all'), file))).toBe(true);
    const record: unknown = JSON.parse(outcome.stdout);
    expect(record).toMatchObject({
      method: 'tensors',
      predicted: [{ index: expect.any(Number), probability: expect.any(Number) }, {}, {}, {}, {}],
      times: {
        loadMs: expect.any(Number),
        forwardMs: expect.any(Number),
        totalMs: expect.any(Number),
      },
      inputs: { image: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    });
  });

  it('say what is wrong with an array of another shape, and leave nothing', async () => {
    const file = out('wrong.npy');
    writeFileSync(
      file,
      writeNpy({ dtype: 'float32', shape: [1, 3, 8, 8], data: new Float32Array(192) }).bytes,
    );
    const outcome = await cli.run([
      'tensors',
      model,
      '--input',
      file,
      '--tensor',
      'logits',
      '--out',
      out('wrong'),
    ]);
    expect(outcome.status).toBe(2);
    expect(sentence(outcome)).toContain('[1, 3, 8, 8]');
    expect(existsSync(out('wrong'))).toBe(false);
  });

  it('end with 130 when interrupted, with nothing written', async () => {
    const long = out('long.onnx');
    const nodes: NodeInput[] = Array.from({ length: LONG_CHAIN }, (_, i) => ({
      op: 'Conv',
      name: `c${i}`,
      inputs: [i === 0 ? 'x' : `t${i}`, 'w'],
      outputs: [`t${i + 1}`],
      attributes: { pads: [3, 3, 3, 3] },
    }));
    writeFileSync(
      long,
      writeModel({
        nodes,
        inputs: [{ name: 'x', shape: [1, 64, 512, 512] }],
        outputs: [{ name: `t${LONG_CHAIN}`, shape: null }],
        initializers: [
          { name: 'w', shape: [64, 64, 7, 7], data: seededFloats(1, 64 * 64 * 49, 0.01) },
        ],
      }),
    );
    const before = readdirSync(folder);
    const started = performance.now();
    const outcome = await cli.run(
      ['tensors', long, '--layer', `c${LONG_CHAIN - 1}`, '--out', out('long')],
      { interruptAfterMs: 2500 },
    );
    expect(outcome.status).toBe(130);
    expect(outcome.stderr).toBe('layer-lens: Interrupted.\n');
    expect(performance.now() - started).toBeLessThan(5000);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('files that are no model', () => {
  it('are refused at once, whatever their size', async () => {
    const sparse = path.join(folder, 'sparse.onnx');
    const file = openSync(sparse, 'w');
    ftruncateSync(file, 3 * 2 ** 30);
    closeSync(file);
    const started = performance.now();
    const outcome = await cli.run(['inspect', sparse]);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(outcome.status).toBe(2);
    expect(sentence(outcome)).toContain('sparse.onnx');
    rmSync(sparse);
  });
});
