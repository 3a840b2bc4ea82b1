import { afterAll, describe, expect, it } from 'vitest';
import { findLayers } from '../../../server/src/onnx/layerNames';
import { fixture, opened } from './opened';

/** The convolutions of ResNet-18 as its code names them. */
const CONVOLUTIONS = [
  'conv1',
  ...[1, 2, 3, 4].flatMap(stage => [
    `layer${stage}.0.conv1`,
    `layer${stage}.0.conv2`,
    ...(stage > 1 ? [`layer${stage}.0.downsample.0`] : []),
    `layer${stage}.1.conv1`,
    `layer${stage}.1.conv2`,
  ]),
];

describe.each(['resnet18_torchscript.onnx', 'resnet18_dynamo.onnx'])('%s', file => {
  const { layers, close } = opened(fixture(file));
  afterAll(close);
  const only = (name: string) => {
    const { exact } = findLayers(layers, name);
    expect(exact, name).toHaveLength(1);
    return exact[0];
  };

  it('has a module path for each of the 20 convolutions', () => {
    const paths = layers.filter(layer => layer.kind === 'conv').map(layer => layer.modulePath);
    expect(paths.toSorted()).toEqual(CONVOLUTIONS.toSorted());
  });

  it.each(CONVOLUTIONS)('finds %s by all forms of its name', path => {
    const layer = layers.find(each => each.kind === 'conv' && each.modulePath === path);
    const code = path.replace(/\.(\d+)/g, '[$1]');
    const weight = layer?.parameters.find(parameter => parameter.role === 'weight');
    const forms = [
      path,
      `model.${code}`,
      `self.${code}`,
      `model.${path}`,
      code,
      `${path}.weight`,
      weight?.name ?? '',
      layer?.name ?? '',
      layer?.id ?? '',
      layer?.outputs[0] ?? '',
    ];
    for (const form of forms) expect(only(form), form).toBe(layer);
  });

  it('takes a container for its output', () => {
    const stage = findLayers(layers, 'self.layer2');
    expect(stage.exact.map(layer => [layer.op, layer.modulePath])).toEqual([
      ['Relu', 'layer2.1.relu'],
    ]);
    expect(stage.members.filter(layer => layer.kind === 'conv')).toHaveLength(5);
    expect(findLayers(layers, 'layer2[0]').exact[0]?.modulePath).toBe('layer2.0.relu');
    expect(only('fc')?.op).toBe('Gemm');
  });

  it('offers near names for what fits nothing', () => {
    const found = findLayers(layers, 'layer2.0.konv1');
    expect(found.exact).toEqual([]);
    expect(found.near[0]).toBe('layer2.0.conv1');
    expect(findLayers(layers, '')).toEqual({ exact: [], members: [], near: [] });
  });

  it('has unique ids, kinds and parameters', () => {
    expect(new Set(layers.map(layer => layer.id)).size).toBe(layers.length);
    const first = only('conv1');
    expect(first).toMatchObject({
      kind: 'conv',
      op: 'Conv',
      outputShape: [1, 2, 32, 32],
      subgraph: '',
    });
    expect(first?.parameters.map(({ role, shape, dtype }) => [role, shape, dtype])).toEqual([
      ['weight', [2, 3, 7, 7], 'float32'],
      ['bias', [2], 'float32'],
    ]);
    expect(first?.parameterCount).toBe(2 * 3 * 49 + 2);
    expect(first?.attributes).toMatchObject({ strides: [2, 2], pads: [3, 3, 3, 3], group: 1 });
    expect(layers.map(layer => layer.kind).filter(kind => kind === 'activation')).toHaveLength(17);
  });
});
