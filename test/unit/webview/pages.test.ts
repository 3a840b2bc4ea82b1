import { describe, expect, it } from 'vitest';
import type { LayerInfo, ModelDescription } from '../../../protocol/model';
import type { SidePanelSituation } from '../../../protocol/views';
import {
  layerRows,
  moveRow,
  ROW_HEIGHT,
  rowWindow,
  searchRows,
  summaryFacts,
  valueType,
} from '../../../webview/src/modelEditor/model';
import {
  activationStandsIn,
  explainAtCaret,
  heatMap,
  heatNote,
  insteadText,
  panelMenus,
  panelTarget,
} from '../../../webview/src/sidePanel/heatModel';
import {
  aheadKey,
  heatKey,
  obstacleOf,
  panelWords,
  pictureKey,
} from '../../../webview/src/sidePanel/model';

const layer: LayerInfo = {
  id: 'Conv_3',
  name: 'Conv_3',
  op: 'Conv',
  kind: 'conv',
  modulePath: 'layer1.0.conv1',
  inputs: ['x', 'w'],
  outputs: ['y'],
  outputShape: [1, 64, 56, 56],
  parameters: [{ role: 'weight', name: 'w', shape: [64, 32, 3, 3], dtype: 'float32' }],
  parameterCount: 18432,
  attributes: { strides: [2, 2] },
  source: { file: 'model/resnet.py', line: 41, confidence: 1, from: 'metadata' },
  subgraph: '',
};

const situation: SidePanelSituation = {
  state: { opacity: 0.6, colorMap: 'inferno', pinned: false, method: 'grad-cam', target: null },
  model: '/w/resnet.onnx',
  modelLabel: 'resnet.onnx',
  layer,
  layerLabel: 'layer1.0.conv1',
  input: '/w/dog.jpg',
  inputLabel: 'dog.jpg',
  mayRun: true,
  needsLoad: false,
  revision: 0,
  error: null,
  labels: ['cat', 'dog'],
};

describe('side panel', () => {
  it('says first what is missing first', () => {
    const nothing = { ...situation, model: null, layer: null, input: null, mayRun: false };
    expect(obstacleOf(nothing)?.commands.map(entry => entry.command)).toEqual([
      'layerLens.openSample',
      'layerLens.chooseModel',
      'layerLens.howToExport',
    ]);
    expect(obstacleOf({ ...situation, mayRun: false })?.commands[0]?.label).toBe('Manage Trust');
    expect(obstacleOf({ ...situation, input: null })?.commands[0]?.label).toBe('Choose Input…');
    expect(obstacleOf({ ...situation, layer: null })?.text).toBe('Put the cursor on a layer.');
    expect(obstacleOf({ ...situation, needsLoad: true })?.commands[0]).toEqual({
      label: 'Load Model',
      command: 'layerLens.loadModel',
      arguments: ['/w/resnet.onnx'],
    });
    expect(obstacleOf(situation)).toBeNull();
  });

  it('asks for a heatmap when the layer changes, for a picture only when the picture does', () => {
    const next = { ...situation, layer: { ...layer, id: 'Conv_9' } };
    expect(heatKey(next)).not.toBe(heatKey(situation));
    expect(pictureKey(next)).toBe(pictureKey(situation));
    expect(pictureKey({ ...situation, input: '/w/cat.jpg' })).not.toBe(pictureKey(situation));
    const look = { ...situation, state: { ...situation.state, opacity: 0.1 } };
    expect(heatKey(look)).toBe(heatKey(situation));
    expect(heatKey({ ...situation, revision: 1 })).not.toBe(heatKey(situation));
  });

  it('runs nothing where nothing may run', () => {
    expect(heatKey({ ...situation, mayRun: false })).toBeNull();
    expect(heatKey({ ...situation, needsLoad: true })).toBeNull();
    expect(pictureKey({ ...situation, model: null })).toBeNull();
    expect(pictureKey({ ...situation, input: '/w/tensor.npy' })).toBeNull();
  });

  it('asks for another heatmap when method or target change, and for look-ups once for all layers', () => {
    const at = (change: Partial<SidePanelSituation['state']>) => ({
      ...situation,
      state: { ...situation.state, ...change },
    });
    const dog = {
      model: '/w/resnet.onnx',
      input: '/w/dog.jpg',
      spec: { kind: 'class', index: 1 },
    } as const;
    expect(heatKey(at({ method: 'layer-cam' }))).not.toBe(heatKey(situation));
    expect(heatKey(at({ target: dog }))).not.toBe(heatKey(situation));
    expect(heatKey(at({ target: { ...dog, model: '/w/other.onnx' } }))).toBe(heatKey(situation));
    expect(heatKey(at({ method: 'activation', target: dog }))).toBe(
      heatKey(at({ method: 'activation' })),
    );
    expect(aheadKey({ ...situation, layer: { ...layer, id: 'Conv_9' } })).toBe(aheadKey(situation));
    expect(aheadKey(at({ target: dog }))).not.toBe(aheadKey(situation));
    expect(aheadKey(at({ method: 'activation' }))).toBeNull();
    const box = { ...dog, spec: { kind: 'box', index: 2 } } as const;
    expect(panelTarget({ target: box }, situation)).toEqual(box.spec);
    expect(panelTarget({ target: box }, { ...situation, input: '/w/cat.jpg' })).toEqual({
      kind: 'top',
    });
  });

  it('asks for the Grad-CAM of the layer at the caret unless told otherwise', () => {
    const { state } = situation;
    const dog = { model: 'm', input: 'i', spec: { kind: 'class', index: 1 } } as const;
    expect(explainAtCaret({ ...state, target: dog }, 'm', 'Conv_3', 'i')).toEqual({
      model: 'm',
      input: 'i',
      method: 'grad-cam',
      layers: ['Conv_3'],
      target: { kind: 'class', index: 1 },
      want: 'map',
      ahead: true,
    });
    expect(explainAtCaret({ ...state, method: 'activation' }, 'm', 'Conv_3', 'i')).toBeNull();
    // A method that the panel does not follow the cursor with.
    expect(explainAtCaret({ ...state, method: 'rise' }, 'm', 'Conv_3', 'i')?.method).toBe(
      'grad-cam',
    );
  });

  it('shows the activation where an attribution cannot be had, and says why', () => {
    expect(activationStandsIn('noGrid')).toBe(true);
    expect(activationStandsIn('noGradient')).toBe(true);
    expect(activationStandsIn('badImage')).toBe(false);
    const instead = insteadText('noGradient', 'No gradient through Loop (node loop_1)');
    expect(instead).toBe(
      'No gradient through Loop (node loop_1). Shown instead: how strongly each place answers.',
    );
    expect(insteadText('noGrid', 'fc has no spatial grid.')).toMatch(/^No grid to lay a map on/);
    const heat = {
      kind: 'activation',
      instead,
      result: {
        layer: 'fc',
        tensor: 't',
        rows: 1,
        columns: 2,
        values: new Float32Array([1, 3]),
        minimum: 1,
        maximum: 3,
        geometry: null,
        notes: [],
        times: { loadMs: 0, forwardMs: 0, totalMs: 12 },
        warnings: [],
      },
    } as const;
    expect(heatMap(heat, 'strength', 'inferno').range).toEqual({ low: 1, high: 3 });
    expect(heatNote(heat, null)).toBe('mean |activation| · 1×2, bilinear · 12 ms');
  });

  it('has a target menu where the method looks at a target', () => {
    const predicted = [{ index: 1, score: 3, probability: 0.8 }];
    const known = { labels: situation.labels, predicted, targets: null };
    const menus = panelMenus(situation, situation.state, known);
    expect(menus.target).toBe('Highest: dog');
    expect(menus.targets().map(line => line.label)).toContain('cat');
    const eigen = panelMenus(situation, { ...situation.state, method: 'eigen-cam' }, known);
    expect(eigen.target).toBeNull();
    expect(menus.methods().map(line => line.value)).toContain('activation');
  });

  it('names the layer and says what it is', () => {
    const words = panelWords(situation);
    expect(words.name).toBe('layer1.0.conv1');
    expect(words.facts).toContain('32→64');
    expect(words.facts).toContain('out 64×56×56');
  });
});

describe('model editor', () => {
  const description: ModelDescription = {
    path: '/w/resnet.onnx',
    fileBytes: 46_800_000,
    irVersion: 8,
    opsets: { '': 17, 'com.microsoft': 1 },
    producer: 'pytorch 2.9',
    graphName: 'main_graph',
    metadata: {},
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3, 224, 224] }],
    outputs: [{ name: 'z', dtype: 'int64', shape: null, container: 'sequence' }],
    layers: [
      layer,
      { ...layer, id: 'fc', name: 'fc', op: 'Gemm', kind: 'linear', modulePath: 'fc' },
    ],
    attention: [],
    attentionLookalikes: [],
    tokenizer: null,
    parameterCount: 11_689_512,
    weightBytes: 46_758_048,
    preprocessing: [],
    labels: null,
    problems: [],
  };

  it('sums up the model and leaves out what is not there', () => {
    const facts = new Map(summaryFacts(description));
    expect(facts.get('Opset')).toBe('ai.onnx 17, com.microsoft 1');
    expect(facts.get('Parameters')).toBe('11,689,512');
    expect(facts.get('File')).toBe('46.8 MB');
    expect(facts.has('Labels')).toBe(false);
    expect(description.inputs.map(valueType)).toEqual(['float32 batch×3×224×224']);
    expect(description.outputs.map(valueType)).toEqual(['sequence of int64']);
  });

  it('finds layers by all words, in any column', () => {
    const rows = layerRows(description);
    const found = (search: string) => searchRows(rows, search).map(row => row.name);
    expect(found('')).toHaveLength(2);
    expect(found('CONV layer1')).toEqual(['layer1.0.conv1']);
    expect(found('resnet.py:41 gemm')).toEqual(['fc']);
    expect(found('conv nothing')).toEqual([]);
  });

  it('puts only lines around the visible ones into the page', () => {
    expect(rowWindow(4000, 0, 480)).toEqual({ first: 0, end: 28 });
    expect(rowWindow(4000, 2000 * ROW_HEIGHT, 480)).toEqual({ first: 1992, end: 2028 });
    expect(rowWindow(3, 0, 480)).toEqual({ first: 0, end: 3 });
    expect(rowWindow(0, 500, 480)).toEqual({ first: 0, end: 0 });
  });

  it('is walked by keys', () => {
    expect(moveRow(10, -1, 'ArrowDown', 5)).toBe(0);
    expect(moveRow(10, 9, 'ArrowDown', 5)).toBe(9);
    expect(moveRow(10, 4, 'PageUp', 5)).toBe(0);
    expect(moveRow(10, 4, 'End', 5)).toBe(9);
    expect(moveRow(0, 0, 'ArrowDown', 5)).toBeNull();
    expect(moveRow(10, 4, 'x', 5)).toBeNull();
  });
});
