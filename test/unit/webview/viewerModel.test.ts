import { describe, expect, it } from 'vitest';
import type { ViewerState } from '../../../protocol/views';
import {
  atLayer,
  barSpan,
  BLOCK,
  contributions,
  fileStem,
  filterRange,
  filterStatistic,
  missingBlock,
  neighbourLayer,
  sharedRange,
  sortChannels,
  takeOver,
  tilePicture,
  tilePixels,
  mapStatistic,
} from '../../../webview/src/viewer/model';

const state: ViewerState = {
  model: 'm.onnx',
  layer: 'a',
  input: null,
  tab: 'filters',
  colorMap: 'viridis',
  scale: 'own',
  sort: 'index',
  opacity: 0.5,
  channel: 3,
  enlarged: true,
  filterView: 'mean',
  slice: 2,
  scrollTop: 100,
};

describe('order of channels', () => {
  // [3, 5]: minimum, maximum, mean, variance, mean magnitude
  const statistics = new Float32Array([0, 5, 1, 9, 1, 0, 9, 1, 4, 1, -3, 2, 4, 1, 4]);
  const of = (channel: number) => mapStatistic(statistics, channel);

  it('is strongest first, by index where equal', () => {
    expect(sortChannels(3, 'index', of)).toEqual([0, 1, 2]);
    expect(sortChannels(3, 'mean', of)).toEqual([2, 0, 1]);
    expect(sortChannels(3, 'maximum', of)).toEqual([1, 0, 2]);
    expect(sortChannels(3, 'variance', of)).toEqual([0, 1, 2]);
  });

  it('puts NaN last', () => {
    const nan = { minimum: Number.NaN, maximum: Number.NaN, mean: Number.NaN, variance: 0 };
    expect(sortChannels(3, 'mean', channel => (channel === 0 ? nan : of(channel)))).toEqual([
      2, 1, 0,
    ]);
  });

  it('has one range for all', () => {
    expect(sharedRange(3, of)).toEqual({ low: -3, high: 9 });
    expect(sharedRange(0, of)).toEqual({ low: 0, high: 0 });
  });

  it('reads variance from a standard deviation for filters', () => {
    expect(filterStatistic(new Float32Array([0, 0, 0, 0, -1, 2, 0.5, 3]), 1)).toEqual({
      minimum: -1,
      maximum: 2,
      mean: 0.5,
      variance: 9,
    });
  });
});

describe('filters', () => {
  it('are on a symmetric scale, norms from zero', () => {
    expect(filterRange('rgb', 2)).toEqual({ low: -2, high: 2 });
    expect(filterRange('norm', 2)).toEqual({ low: 0, high: 2 });
  });

  it('are asked for in runs of blocks', () => {
    const none = () => false;
    expect(missingBlock([0, 1, 2], none, 40, 1000)).toEqual({ first: 0, count: 40 });
    expect(missingBlock([70, 130], none, 512, 1000)).toEqual({ first: BLOCK, count: 2 * BLOCK });
    expect(missingBlock([70, 300], none, 512, 1000)).toEqual({ first: BLOCK, count: BLOCK });
    expect(missingBlock([0, 70, 130], none, 512, BLOCK)).toEqual({ first: 0, count: BLOCK });
    expect(missingBlock([500], none, 512, 1000)).toEqual({ first: 448, count: 64 });
    expect(missingBlock([1, 2], () => true, 512, 1000)).toBeNull();
  });

  it('end up all there, whatever is wanted', () => {
    const has = new Set<number>();
    const wanted = [3, 77, 78, 200, 311];
    for (let round = 0; round < 20; round++) {
      const block = missingBlock(wanted, filter => has.has(filter), 312, 128);
      if (!block) break;
      for (let i = 0; i < block.count; i++) has.add(block.first + i);
    }
    expect(wanted.every(filter => has.has(filter))).toBe(true);
    expect(Math.max(...has)).toBe(311);
  });
});

describe('tiles', () => {
  it('keep the shape of the map, up to four to one', () => {
    const tile = { x: 0, y: 0, width: 96, height: 112 };
    expect(tilePicture(tile, 7, 7)).toEqual({ x: 0, y: 0, width: 96, height: 96 });
    expect(tilePicture(tile, 10, 20)).toEqual({ x: 0, y: 24, width: 96, height: 48 });
    expect(tilePicture(tile, 1, 197)).toEqual({ x: 0, y: 36, width: 96, height: 24 });
  });

  it('ask for device pixels in steps', () => {
    expect(tilePixels(96, 1)).toBe(96);
    expect(tilePixels(96, 1.1)).toBe(128);
    expect(tilePixels(96, 2)).toBe(192);
  });

  it('draw bars from zero', () => {
    expect(barSpan(2, { low: 0, high: 4 })).toEqual({ from: 0.5, to: 1, zero: 1 });
    expect(barSpan(-1, { low: -1, high: 3 })).toEqual({ from: 0.75, to: 1, zero: 0.75 });
    expect(barSpan(Number.NaN, { low: 0, high: 4 })).toEqual({ from: 1, to: 1, zero: 1 });
    expect(barSpan(0, { low: 0, high: 0 }).to).toBe(0);
  });
});

describe('walking the layers', () => {
  const layers = ['a', 'x', 'b', 'c', 'y'].map(id => ({
    id,
    label: id.toUpperCase(),
    facts: '',
    isMinor: id === 'x' || id === 'y',
  }));

  it('passes over minor layers and begins at any', () => {
    expect(neighbourLayer(layers, 'b', -1)?.id).toBe('a');
    expect(neighbourLayer(layers, 'x', 1)?.id).toBe('b');
    expect(neighbourLayer(layers, 'y', 1)).toBeNull();
  });

  it('stops at the ends', () => {
    expect(neighbourLayer(layers, 'a', 1)?.id).toBe('b');
    expect(neighbourLayer(layers, 'a', -1)).toBeNull();
    expect(neighbourLayer(layers, 'c', 1)).toBeNull();
    expect(neighbourLayer(layers, 'gone', 1)).toBeNull();
  });

  it('keeps how things look and drops what belongs to one layer', () => {
    expect(atLayer(state, 'b')).toEqual({
      ...state,
      layer: 'b',
      channel: null,
      enlarged: false,
      filterView: null,
      slice: 0,
      scrollTop: 0,
    });
  });
});

describe('taking over what the host says', () => {
  it('is everything the first time, so that a reload shows the same', () => {
    expect(takeOver(null, state, [])).toEqual({ state, steps: [] });
  });

  it('keeps the look of the page and takes the input while the layer is the same', () => {
    const own = { ...state, opacity: 0.9 };
    expect(takeOver(own, { ...state, input: 'dog.jpg', opacity: 0.1 }, [])?.state).toEqual({
      ...own,
      input: 'dog.jpg',
    });
  });

  it('skips answers to steps that later steps have overtaken', () => {
    const own = { ...state, layer: 'c' };
    expect(takeOver(own, { ...state, layer: 'b' }, ['b', 'c'])).toBeNull();
    expect(takeOver(own, { ...state, layer: 'c' }, ['b', 'c'])?.steps).toEqual([]);
  });

  it('follows the host to another layer or model', () => {
    const other = { ...state, layer: 'z', tab: 'maps' as const };
    expect(takeOver(state, other, [])?.state).toEqual(other);
    const model = { ...state, model: 'n.onnx' };
    expect(takeOver(state, model, ['a', 'b'])?.state).toEqual(model);
  });
});

describe('recomputing a position', () => {
  it('splits the sum over the input channels, largest first', () => {
    const parts = contributions({
      window: new Float32Array([1, 2, 3, 4, 5, 6]),
      kernel: new Float32Array([1, 0, -1, -1, 0.5, 0]),
      shape: [3, 1, 2],
      bias: 0.5,
      sum: -3.5,
      value: -3.5,
      difference: 0,
      inputTensor: 'x',
      notes: [],
    });
    expect(parts.map(part => [part.channel, part.sum])).toEqual([
      [1, -7],
      [2, 2.5],
      [0, 1],
    ]);
    expect(parts.reduce((total, part) => total + part.sum, 0.5)).toBe(-3);
  });
});

describe('file names', () => {
  it('hold nothing that a file system could trip over', () => {
    expect(fileStem('layer4.1/conv2: ../..')).toBe('layer4.1_conv2_.._..');
    expect(fileStem('')).toBe('layer');
    expect(fileStem('x'.repeat(200)).length).toBe(80);
  });
});
