import { describe, expect, it } from 'vitest';
import type { Command } from '../../../server/src/cli/command';
import { safeFileNames } from '../../../server/src/cli/fileNames';
import { nearest } from '../../../server/src/cli/nearest';
import { parseArguments } from '../../../server/src/cli/parseArguments';
import {
  PREPROCESSING_OPTIONS,
  preprocessingOverrides,
} from '../../../server/src/cli/preprocessingOptions';

const command: Command = {
  name: 'tensors',
  summary: '',
  positionals: ['MODEL'],
  options: [
    { name: 'tensor', value: 'NAME', help: '', repeatable: true },
    { name: 'out', value: 'DIR', help: '' },
    { name: 'all-layers', value: null, help: '' },
    ...PREPROCESSING_OPTIONS,
  ],
  example: '',
  run: () => Promise.resolve(0),
};
const parse = (...words: string[]) => parseArguments(command, words);

describe('parseArguments', () => {
  it('reads words, values, repeated values and switches', () => {
    const given = parse('m.onnx', '--tensor', 'a', '--tensor=b', '--all-layers', '--out', 'dir');
    expect(given.word(0)).toBe('m.onnx');
    expect(given.all('tensor')).toEqual(['a', 'b']);
    expect(given.one('out')).toBe('dir');
    expect([given.has('all-layers'), given.has('json')]).toEqual([true, false]);
  });

  it('takes values that begin with a dash or hold an equals sign', () => {
    expect(parse('m', '--mean', '-1,0.5,2').one('mean')).toBe('-1,0.5,2');
    expect(parse('m', '--tensor=a=b').all('tensor')).toEqual(['a=b']);
  });

  it.each([
    [['m', '--tensr', 'a'], 'There is no option --tensr; did you mean --tensor?'],
    [['m', '--xyzzyq'], 'There is no option --xyzzyq; --help lists the options.'],
    [['m', '--out'], '--out needs a value: --out DIR.'],
    [['m', '--out', 'a', '--out', 'b'], '--out is given twice; it takes one value.'],
    [['m', '--json=yes'], '--json takes no value.'],
    [[], 'MODEL is missing: layer-lens tensors MODEL.'],
    [['m', 'n'], '"n" is one word too many for tensors; quote names with spaces.'],
  ])('refuses %j', (words, message) => {
    expect(() => parse(...words)).toThrow(expect.objectContaining({ code: 'usage', message }));
  });
});

describe('preprocessingOverrides', () => {
  it('reads numbers, fractions, sizes and names', () => {
    const given = parse(
      'm',
      '--mean',
      '103.939,116.779,123.68',
      '--std',
      '1',
      '--scale',
      '1/255',
      '--size',
      '320x240',
      '--channels',
      'bgr',
      '--layout',
      'NHWC',
      '--resize',
      'letterbox',
      '--interpolation',
      'bicubic',
    );
    expect(preprocessingOverrides(given)).toEqual({
      mean: [103.939, 116.779, 123.68],
      std: [1],
      scale: 1 / 255,
      width: 320,
      height: 240,
      channels: 'BGR',
      layout: 'NHWC',
      resize: 'letterbox',
      interpolation: 'bicubic',
    });
    expect(preprocessingOverrides(parse('m', '--size', '224'))).toEqual({
      width: 224,
      height: 224,
    });
    expect(preprocessingOverrides(parse('m'))).toEqual({});
  });

  it.each([
    [['--mean', '1,,2'], '--mean'],
    [['--scale', '1/0'], '--scale'],
    [['--scale', '1/2/3'], '--scale'],
    [['--std', '1,0,1'], '--std 0'],
    [['--size', '0'], '--size'],
    [['--size', '99999'], '--size'],
    [['--channels', 'CMYK'], 'RGB, BGR, GRAY, RGBA'],
  ])('refuses %j', (words, part) => {
    expect(() => preprocessingOverrides(parse('m', ...words))).toThrow(part);
  });
});

describe('safeFileNames', () => {
  it('gives names that every file system takes, each once', () => {
    const names = [
      '/layer1/Conv_output_0',
      '/layer1/conv_output_0',
      '../../etc/passwd',
      'con',
      'NUL.txt',
      '..',
      '',
      'a:b*?',
      'é',
      'x.'.padEnd(400, 'y'),
    ];
    const files = [...safeFileNames(names, '.npy').values()];
    expect(files.slice(0, 2)).toEqual(['layer1_Conv_output_0.npy', 'layer1_conv_output_0-2.npy']);
    for (const file of files) {
      expect(file).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]*\.npy$/);
      expect(file).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\./i);
      expect(file.length).toBeLessThan(140);
    }
    expect(new Set(files.map(file => file.toLowerCase())).size).toBe(names.length);
  });
});

describe('nearest', () => {
  it.each([
    ['inspct', 'inspect'],
    ['tensor', 'tensors'],
    ['fitlers', 'filters'],
    ['pre', 'preprocess'],
    ['zzzzzz', null],
  ])('%s → %s', (word, wanted) => {
    expect(nearest(word, ['inspect', 'filters', 'tensors', 'preprocess'])).toBe(wanted);
  });
});
