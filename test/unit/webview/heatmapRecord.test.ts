import { describe, expect, it } from 'vitest';
import type { AttributionMethod, ExplainResult } from '../../../protocol/attribution';
import type { ViewerState } from '../../../protocol/views';
import { shownMap } from '../../../webview/src/lib/attributionMap';
import {
  ONE_METHOD,
  provenance,
  recordOfAll,
  type Exported,
} from '../../../webview/src/viewer/heatmapRecord';
import { captionOf, statementOf, summaryOf } from '../../../webview/src/viewer/heatmapWords';

const state: ViewerState = {
  model: '/w/models/net.onnx',
  layer: 'conv3',
  input: '/w/dog.png',
  tab: 'heatmap',
  colorMap: 'auto',
  scale: 'own',
  sort: 'index',
  opacity: 0.6,
  channel: null,
  filterView: null,
  slice: 0,
  scrollTop: 0,
};

const resultOf = (method: AttributionMethod): ExplainResult => ({
  method,
  layers: [{ id: 'conv3', tensor: 'conv3_out' }],
  layerReason: null,
  target: {
    spec: { kind: 'top' },
    tensor: 'logits',
    index: [0, 1],
    classIndex: 1,
    score: 7.5,
    words: 'class 1',
  },
  predicted: null,
  rows: 2,
  columns: 2,
  map: new Float32Array([-1, 0, 2, 4]),
  magnitude: null,
  minimum: -1,
  maximum: 4,
  attribution: new Float32Array(),
  attributionShape: [0],
  heatmap: new Float32Array(),
  heatmapShape: [0],
  geometry: null,
  options: { window: 28 },
  completeness: null,
  approximate: null,
  findings: [{ kind: 'negative', severity: 'warning', message: 'Half of it is negative.' }],
  gradientMs: 1,
  times: { loadMs: 1, forwardMs: 2, totalMs: 41 },
  warnings: [],
});

const exported = (method: AttributionMethod): Exported => {
  const result = resultOf(method);
  return {
    result,
    map: shownMap(result, 'strength', 'auto'),
    params: {
      model: state.model,
      input: state.input,
      method,
      layers: ['conv3'],
      target: { kind: 'top' },
      want: 'map',
    },
    isPartial: false,
    label: method,
  };
};

const labels = ['cat', 'dog'];
const labelOf = (id: string): string => `layer ${id}`;

describe('an export of heatmaps', () => {
  it('says that one method is not enough, unless another family confirms', () => {
    const of = (...methods: readonly AttributionMethod[]): readonly string[] =>
      provenance({ state, maps: methods.map(exported), preprocessing: [] });
    expect(of('grad-cam')).toContain(ONE_METHOD);
    expect(of('grad-cam', 'layer-cam')).toContain(ONE_METHOD);
    expect(of('grad-cam', 'occlusion')).not.toContain(ONE_METHOD);
    expect(of('grad-cam')[0]).toBe('Model net.onnx · input dog.png');
    expect(of('grad-cam', 'occlusion')).toContain(
      'Rank correlation on 2×2: grad-cam and occlusion 1.00',
    );
  });

  it('records everything but the numbers', () => {
    const record = recordOfAll({ state, maps: [exported('grad-cam')], preprocessing: [] });
    expect(record).toMatchObject({
      model: '/w/models/net.onnx',
      input: '/w/dog.png',
      maps: [{ method: 'grad-cam', maximum: 4, seen: { low: 0, high: 4, colors: 'viridis' } }],
      agreement: null,
    });
    expect(JSON.stringify(record)).not.toContain('"map"');
  });

  it('has target, layer, options, findings, limit and source under each map', () => {
    const { result, map } = exported('occlusion');
    const lines = captionOf(result, map, { smooth: true, labels, labelOf, isPartial: true });
    expect(lines).toContain('of “dog”, score 7.500');
    expect(lines).toContain('at layer conv3');
    expect(lines).toContain('window 28');
    expect(lines).toContain('Unfinished: the method was stopped.');
    expect(lines).toContain('Half of it is negative.');
    expect(lines.some(line => line.startsWith('Limit: '))).toBe(true);
    expect(lines.some(line => line.startsWith('Method: '))).toBe(true);
  });
});

describe('a heatmap in words', () => {
  const { result, map } = exported('grad-cam');

  it('is one line', () => {
    expect(statementOf(result, map, true, labels, labelOf)).toBe(
      'Grad-CAM of “dog” at layer conv3 · 2×2 · positive part · 41 ms',
    );
  });

  it('tells a screen reader where it is strongest', () => {
    expect(summaryOf(result, map, labels)).toBe(
      'Grad-CAM of “dog”, strongest at row 2, column 2 of 2×2',
    );
  });
});
