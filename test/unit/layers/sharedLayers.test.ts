import path from 'node:path';
import { expect, it } from 'vitest';
import { describeShared } from '../../shared';
import { findLayers } from '../../../server/src/onnx/layerNames';
import { opened } from './opened';

describeShared('layers of models made by others', dir => {
  const listed = (name: string) => {
    const { layers, close } = opened(path.join(dir, 'models', `${name}.onnx`));
    close();
    return layers;
  };
  const paths = (name: string, kind: string) =>
    listed(name)
      .filter(layer => layer.kind === kind)
      .map(layer => layer.modulePath);

  it('reads quantised convolutions', () => {
    const layers = listed('mobilenetv2-12-int8');
    expect(layers.filter(layer => layer.kind === 'conv')).toHaveLength(52);
    expect(layers.filter(layer => layer.kind === 'linear').map(layer => layer.op)).toEqual([
      'QLinearMatMul',
    ]);
    expect(layers.filter(layer => layer.op === 'com.microsoft.QLinearAdd')).toHaveLength(11);
    // the arithmetic in front of the one Reshape is no layer
    expect(
      layers.some(layer => ['Shape', 'Gather', 'Unsqueeze', 'Concat'].includes(layer.op)),
    ).toBe(false);
    expect(layers.find(layer => layer.kind === 'conv')?.parameters).toEqual([
      { role: 'weight', name: '475_quantized', shape: [32, 3, 3, 3], dtype: 'int8' },
      { role: 'bias', name: '476_quantized', shape: [32], dtype: 'int32' },
    ]);
  });

  it('names weights behind DequantizeLinear as they are stored', () => {
    const conv = listed('ort_conv_int4_weights_qdq').find(layer => layer.kind === 'conv');
    expect(conv?.parameters).toEqual([
      { role: 'weight', name: 'weight_quantized', shape: [5, 3, 3, 3], dtype: 'int4' },
      { role: 'bias', name: 'bias_quantized', shape: [5], dtype: 'int32' },
    ]);
  });

  it('finds weights in Constant nodes', () => {
    const layers = listed('ch_PP-OCRv4_rec_infer');
    expect(layers[0]).toMatchObject({ op: 'Conv', modulePath: 'conv2d_10' });
    expect(layers[0]?.parameters[0]).toEqual({
      role: 'weight',
      name: 'conv2d_10.w_0',
      shape: [16, 3, 3, 3],
      dtype: 'float32',
    });
    expect(layers.some(layer => layer.op === 'Constant')).toBe(false);
  });

  it('names projections of a Transformer by scope where the weight was renamed', () => {
    const layers = listed('vit_cifar10_pgd_2_3_16');
    const linear = layers.filter(layer => layer.kind === 'linear').map(layer => layer.modulePath);
    expect(linear).toEqual([
      ...[
        '1.0.0.fn.1.query',
        '1.0.0.fn.1.key',
        '1.0.0.fn.1.value',
        '1.0.0.fn.1.out',
        '1.0.1.fn.1.0',
        '1.0.1.fn.1.3',
      ],
      ...[
        '1.1.0.fn.1.query',
        '1.1.0.fn.1.key',
        '1.1.0.fn.1.value',
        '1.1.0.fn.1.out',
        '1.1.1.fn.1.0',
        '1.1.1.fn.1.3',
      ],
      '2.2',
    ]);
    // MatMul and Add are both `query`: the name means the one with the weight
    expect(findLayers(layers, '1.0.0.fn.1.query').exact.map(layer => layer.op)).toEqual(['MatMul']);
    expect(findLayers(layers, '1.0.0.fn.1.query.bias').exact.map(layer => layer.op)).toEqual([
      'Add',
    ]);
  });

  it('reads paths of Keras, TensorFlow and Caffe2', () => {
    expect(paths('openwakeword_embedding', 'conv').slice(0, 3)).toEqual([
      'conv2d',
      'conv2d_1',
      'conv2d_2',
    ]);
    expect(paths('deeplab_v3', 'conv').slice(0, 3)).toEqual([
      'MobilenetV2.Conv',
      'MobilenetV2.expanded_conv.depthwise',
      'MobilenetV2.expanded_conv.project',
    ]);
    expect(paths('squeezenet_fp16', 'conv').slice(0, 3)).toEqual([
      'conv1',
      'fire2.squeeze1x1',
      'fire2.expand1x1',
    ]);
    expect(findLayers(listed('squeezenet_fp16'), 'fire2/expand3x3').exact[0]?.op).toBe('Conv');
  });

  it('lists layers inside of If with the path of their branch', () => {
    const layers = listed('silero_vad_v5');
    const convolutions = layers.filter(layer => layer.kind === 'conv');
    expect(convolutions.length).toBeGreaterThan(8);
    expect(new Set(convolutions.map(layer => layer.subgraph))).toEqual(
      new Set(['If_0/then_branch', 'If_0/else_branch']),
    );
    expect(new Set(layers.map(layer => layer.id)).size).toBe(layers.length);
  });

  it('finds modules through inlined functions, without branches that are never taken', () => {
    const layers = listed('resnet18_dynamo');
    const convolutions = layers.filter(layer => layer.kind === 'conv');
    expect(convolutions.map(layer => layer.op)).toEqual(new Array<string>(20).fill('Conv'));
    expect(new Set(convolutions.map(layer => layer.modulePath)).size).toBe(20);
    expect(findLayers(layers, 'model.layer2[0].conv1').exact[0]?.parameters[0]?.name).toBe(
      'layer2.0.conv1.weight',
    );
    expect(layers.find(layer => layer.op === 'Relu')?.modulePath).toBe('relu');
    const add = layers.find(layer => layer.op === 'Add' && layer.name.includes('layer2_0'));
    expect(add?.modulePath).toBe('layer2.0');
  });

  it('makes ids for nodes without names', () => {
    const layers = listed('squeezenet_fp16');
    expect(layers.slice(0, 3).map(layer => layer.id)).toEqual(['Conv_0', 'Relu_1', 'MaxPool_2']);
    expect(layers).toHaveLength(66);
  });

  it('knows fused attention and recurrence', () => {
    const gpt = listed('tiny_random_gpt2_past');
    expect(gpt.filter(layer => layer.kind === 'attention').map(layer => layer.op)).toEqual(
      new Array<string>(5).fill('com.microsoft.Attention'),
    );
    const gru = listed('ndm_gru').find(layer => layer.kind === 'recurrent');
    expect(gru?.parameters.map(({ role, shape }) => [role, shape])).toEqual([
      ['weight', [1, 768, 4]],
      ['recurrence', [1, 768, 256]],
      ['bias', [1, 1536]],
    ]);
  });
});
