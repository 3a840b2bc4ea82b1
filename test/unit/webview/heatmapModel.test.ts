import { describe, expect, it } from 'vitest';
import { ATTRIBUTION_FACTS, ATTRIBUTION_METHODS } from '../../../protocol/attributionFacts';
import type { ViewerState } from '../../../protocol/views';
import {
  activePane,
  addPane,
  comparisons,
  explainParams,
  heatmapOf,
  MOST_PANES,
  paneKey,
  remediesOf,
  removePane,
  toggledLayers,
  withMethod,
  withPane,
} from '../../../webview/src/viewer/heatmapModel';
import {
  numberOf,
  optionFields,
  optionText,
  withOption,
} from '../../../webview/src/viewer/heatmapOptions';

const state: ViewerState = {
  model: '/w/m.onnx',
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
const first = heatmapOf(state);

describe('the Heatmap tab', () => {
  it('begins with methods of two families', () => {
    const families = first.panes.map(({ method }) => ATTRIBUTION_FACTS[method].family);
    expect(new Set(families).size).toBe(2);
    expect(first.target).toEqual({ kind: 'top' });
  });

  it('keeps what was chosen as far as it means something', () => {
    const chosen = { ...first, part: 'signed', target: { kind: 'box', index: 3 } } as const;
    expect(heatmapOf({ ...state, heatmap: chosen })).toEqual(chosen);
    const other = heatmapOf({ ...state, input: '/w/cat.png', heatmap: chosen });
    expect(other.target).toEqual({ kind: 'top' });
    expect(other.part).toBe('signed');
    const region = { left: 0, top: 0, right: 1, bottom: 1 };
    const masked = { ...first, target: { kind: 'mask', class: 2, region } } as const;
    expect(heatmapOf({ ...state, input: null, heatmap: masked }).target).toEqual({
      kind: 'mask',
      class: 2,
    });
    const classed = { ...first, target: { kind: 'class', index: 3 } } as const;
    expect(heatmapOf({ ...state, input: null, heatmap: classed }).target).toEqual(classed.target);
    const elsewhere = heatmapOf({ ...state, model: '/w/n.onnx', heatmap: chosen });
    expect(elsewhere.target).toEqual({ kind: 'top' });
    expect(elsewhere.part).toBe('signed');
  });

  it('holds one to four panes, the newest active', () => {
    let heatmap = first;
    for (let i = 0; i < 5; i++) heatmap = addPane(heatmap, { method: 'rise', layers: [] });
    expect(heatmap.panes).toHaveLength(MOST_PANES);
    expect(new Set(heatmap.panes.map(pane => pane.id)).size).toBe(MOST_PANES);
    expect(heatmap.active).toBe(heatmap.panes.at(-1)?.id);
    const fewer = removePane(heatmap, heatmap.active);
    expect(fewer.panes).toHaveLength(MOST_PANES - 1);
    expect(activePane(fewer)).toBe(fewer.panes[0]);
    const single = removePane(removePane(first, 1), 0);
    expect(single.panes).toHaveLength(1);
  });

  it('sets what happens without a place beside the gradient', () => {
    const only = withMethod(removePane(first, 1), 0, 'gradient');
    expect(only.panes.map(({ method }) => method)).toEqual(['gradient', 'occlusion']);
    expect(only.active).toBe(0);
    const both = withMethod(first, 0, 'gradient');
    expect(both.panes.map(({ method }) => method)).toEqual(['gradient', 'occlusion']);
  });

  it('drops options that another method does not know', () => {
    const steps = withPane(first, 0, { method: 'integrated-gradients', options: { steps: 20 } });
    const baseline = withPane(steps, 0, {
      options: { steps: 20, baseline: { kind: 'blur' } },
    });
    expect(activePane(withMethod(baseline, 0, 'occlusion')).options).toEqual({
      baseline: { kind: 'blur' },
    });
    expect(activePane(withMethod(baseline, 0, 'grad-cam')).options).toEqual({});
  });
});

describe('what is asked', () => {
  const [pane] = first.panes;
  if (!pane) throw new Error('no pane');

  it('is of the viewer’s layer, or of those that were chosen', () => {
    expect(explainParams(state, first, pane)).toEqual({
      model: state.model,
      input: state.input,
      method: 'grad-cam',
      layers: ['conv3'],
      target: { kind: 'top' },
      want: 'map',
      ahead: true,
    });
    const fused = { ...pane, layers: ['conv1', 'conv2'] };
    expect(explainParams(state, first, fused).layers).toEqual(['conv1', 'conv2']);
    expect(explainParams(state, first, fused).ahead).toBeUndefined();
  });

  it('does not change with the layer for methods on the input', () => {
    const occlusion = { ...pane, method: 'occlusion' } as const;
    const here = paneKey(explainParams(state, first, occlusion), 0);
    const there = paneKey(explainParams({ ...state, layer: 'conv1' }, first, occlusion), 0);
    expect(there).toBe(here);
    expect(paneKey(explainParams(state, first, pane), 0)).not.toBe(
      paneKey(explainParams({ ...state, layer: 'conv1' }, first, pane), 0),
    );
    expect(paneKey(explainParams(state, first, pane), 1)).not.toBe(
      paneKey(explainParams(state, first, pane), 0),
    );
  });

  it('does not change with the target for methods that look at none', () => {
    const eigen = { ...pane, method: 'eigen-cam' } as const;
    const classed = { ...first, target: { kind: 'class', index: 4 } } as const;
    expect(explainParams(state, classed, eigen)).toEqual(explainParams(state, first, eigen));
  });
});

describe('menus', () => {
  it('compare with other families first, and with other layers', () => {
    const layers = [{ id: 'conv1', label: 'layer1' }];
    const choices = comparisons(first, layers);
    expect(ATTRIBUTION_FACTS[choices[0]?.method ?? 'grad-cam'].family).not.toBe('class activation');
    expect(choices.at(-1)).toEqual({ method: 'grad-cam', layers: ['conv1'], label: 'layer1' });
    const taken = first.panes.map(({ method }) => method);
    expect(choices.filter(({ layers: own }) => own.length === 0)).toHaveLength(
      ATTRIBUTION_METHODS.length - taken.length,
    );
  });

  it('fuse layers in the order of the model', () => {
    const all = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
    expect(toggledLayers([], 'b', all)).toEqual(['b']);
    expect(toggledLayers(['b'], 'a', all)).toEqual(['a', 'b']);
    expect(toggledLayers(['a', 'b'], 'b', all)).toEqual(['a']);
    expect(toggledLayers(['a', 'b'], '', all)).toEqual([]);
  });

  it('offer what can be done about an error', () => {
    const suggested = { layer: 'conv4', tensor: 't', reason: 'r' };
    const pane = activePane(first);
    const error = (code: 'noGrid' | 'noGradient' | 'badImage') => ({ code, message: 'No.' });
    expect(remediesOf(error('noGrid'), pane, 'fc', suggested).map(({ kind }) => kind)).toEqual([
      'layer',
    ]);
    expect(remediesOf(error('noGrid'), pane, 'conv4', suggested)).toEqual([]);
    expect(
      remediesOf(error('noGradient'), pane, 'fc', suggested).map(({ title }) => title),
    ).toEqual(['Eigen-CAM', 'Occlusion']);
    expect(remediesOf(error('badImage'), pane, 'fc', suggested)).toEqual([]);
  });
});

describe('options of the long methods', () => {
  it('exist for every method that refines', () => {
    for (const method of ATTRIBUTION_METHODS)
      expect(optionFields(method).length > 0).toBe(ATTRIBUTION_FACTS[method].refines);
  });

  it('hold what was typed within limits, or nothing', () => {
    const [steps] = optionFields('integrated-gradients');
    if (steps?.kind !== 'number') throw new Error('no steps');
    expect(numberOf(steps, '20.4')).toBe(20);
    expect(numberOf(steps, '1e9')).toBe(steps.most);
    expect(numberOf(steps, '')).toBeNull();
    expect(numberOf(steps, 'many')).toBeNull();
    expect(withOption({ steps: 20, rule: 'left' }, 'steps', null)).toEqual({ rule: 'left' });
    expect(withOption({}, 'steps', 30)).toEqual({ steps: 30 });
    expect(optionText({ baseline: { kind: 'blur' } }, 'baseline')).toBe('blur');
    expect(optionText({}, 'steps')).toBe('');
  });
});
