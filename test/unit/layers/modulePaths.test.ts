import { describe, expect, it } from 'vitest';
import type { LayerParameter } from '../../../protocol/model';
import { modulePathOf } from '../../../server/src/onnx/modulePaths';
import { graphOf, nodeOf } from '../shapes/smallGraphs';

const weight = (name: string): LayerParameter => ({
  role: 'weight',
  name,
  shape: [1],
  dtype: 'float32',
});

const pathOf = (
  name: string,
  weightName: string | null = null,
  metadata: Record<string, string> = {},
  output = '',
) =>
  modulePathOf(
    nodeOf(0, 'Conv', [], [output], new Map(), {
      name,
      metadata: new Map(Object.entries(metadata)),
    }),
    weightName === null ? [] : [weight(weightName)],
    [
      graphOf({
        valueMetadata: new Map([
          ['val_5', new Map([['pkg.onnxscript.optimizer.folded_from', "['qkv.weight']"]])],
        ]),
      }),
    ],
  );

describe('module paths', () => {
  it.each([
    // initializers
    ['n', 'layer1.0.conv1.weight', 'layer1.0.conv1'],
    ['n', 'layer1.0.conv1.weight_quantized', 'layer1.0.conv1'],
    ['n', 'blocks.3.attn.qkv.weight_fp16', 'blocks.3.attn.qkv'],
    ['n', 'mha.in_proj_weight', 'mha'],
    ['n', 'conv2d_245.w_0', 'conv2d_245'],
    ['n', 'fire2/squeeze1x1_w_0', 'fire2.squeeze1x1'],
    ['n', 'val_5', 'qkv'],
    // made-up initializers leave it to the node
    ['/layer1/layer1.0/conv1/Conv', 'onnx::Conv_36', 'layer1.0.conv1'],
    ['/features/features.1/conv/conv.0/conv.0.0/Conv', 'onnx::Conv_538', 'features.1.conv.0.0'],
    ['Conv_0', 'input.3', null],
    ['/Relu', null, null],
    // Keras and TensorFlow
    ['StatefulPartitionedCall/model/conv2d_3/BiasAdd', null, 'conv2d_3'],
    ['model/conv1/Conv2D', null, 'conv1'],
    ['model_1/block/dense/Tensordot/MatMul', null, 'block.dense'],
    ['Relu6__5', null, null],
    ['', null, null],
  ])('%s with %s is %s', (name, weightName, expected) => {
    expect(pathOf(name, weightName)).toBe(expected);
  });

  it('trusts the weight over the scopes of a BatchNorm that was folded in', () => {
    const scopes = {
      'pkg.torch.onnx.name_scopes': "['', 'bn', '_native_batch_norm_legit_no_training']",
    };
    expect(pathOf('node_Conv_57', 'stem.weight', scopes)).toBe('stem');
    expect(pathOf('node_Conv_57', 'onnx::Conv_1', scopes)).toBe('bn');
  });

  it('drops the operator at the end of the scopes', () => {
    const scopes = {
      'pkg.torch.onnx.name_scopes': "['', 'layer1', 'layer1.0', 'layer1.0.relu', 'relu_1']",
    };
    expect(pathOf('node_relu_1', null, scopes)).toBe('layer1.0.relu');
    expect(pathOf('node_add', null, { 'pkg.torch.onnx.name_scopes': "['', 'add']" })).toBeNull();
  });

  it('reads the output where the node has no name', () => {
    expect(pathOf('', null, {}, '/layer2/layer2.1/conv2/Conv_output_0')).toBe('layer2.1.conv2');
    expect(pathOf('', null, {}, 'model/conv2d/BiasAdd:0')).toBe('conv2d');
  });

  it('takes long and odd names', () => {
    expect(pathOf('/'.repeat(100_000))).toBeNull();
    expect(pathOf('a/'.repeat(100_000), 'b.'.repeat(100_000))).toBeNull();
    expect(pathOf('n', null, { 'pkg.torch.onnx.name_scopes': "['".repeat(100_000) })).toBeNull();
  });
});
