import path from 'node:path';
import { expect, it } from 'vitest';
import { describeModel } from '../../../server/src/workspace/describeModel';
import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import { describeShared } from '../../shared';

describeShared('which inputs of models made by others take a picture', dir => {
  const specs = async (name: string): Promise<readonly PreprocessingSpec[]> =>
    (await describeModel(path.join(dir, 'models', `${name}.onnx`), [])).description.preprocessing;

  it.each([
    ['squeezenet_fp16', 'NCHW', 'RGB'],
    ['mobilenetv2-12-int8', 'NCHW', 'RGB'],
    ['mnist_cntk_opset8', 'NCHW', 'GRAY'],
    ['vit_cifar10_pgd_2_3_16', 'NCHW', 'RGB'],
    ['ch_PP-OCRv4_det_infer', 'NCHW', 'RGB'],
    ['ultraface_rfb320', 'NCHW', 'RGB'],
    ['yunet_n_dynamic', 'NCHW', 'RGB'],
    ['fastestdet', 'NCHW', 'RGB'],
    ['super_resolution', 'NCHW', 'GRAY'],
    ['deeplab_v3', 'NHWC', 'RGB'],
    ['light_densenet121', 'NCHW', 'RGB'],
  ])('%s does', async (name, layout, channels) => {
    const [spec, ...others] = await specs(name);
    expect(others).toEqual([]);
    expect([spec?.layout.value, spec?.channels.value]).toEqual([layout, channels]);
  });

  it.each([
    'magika_v3_3',
    'silero_vad_v5',
    'openwakeword_embedding',
    'ndm_gru',
    'tiny_random_gpt2_past',
    'ort_tfbert_qa',
    'ort_attention_mha',
    'ort_mha_cross',
    'burn_attention_4d',
    'lr_mnist_scikit',
  ])('%s does not', async name => {
    expect(await specs(name)).toEqual([]);
  });

  it('a mask is no picture', async () => {
    expect((await specs('lstr_360x640')).map(({ input }) => input)).toEqual(['input_rgb']);
  });
});
