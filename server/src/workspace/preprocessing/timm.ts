import type { Interpolation } from '../../../../protocol/preprocessing';
import { found, type Findings, type PictureInput } from './facts';
import { isObject, numbersOf, parseJson, sidecarNamed, sideOf, type Sidecars } from './sidecars';

const INTERPOLATIONS: Readonly<Record<string, Interpolation>> = {
  bilinear: 'bilinear',
  bicubic: 'bicubic',
  nearest: 'nearest',
  // Chosen at random in training.
  random: 'bilinear',
};

/**
 * Reads timm's `config.json` (`pretrained_cfg` inside or flat): input_size [C, H, W], mean, std, interpolation, crop_pct, crop_mode. The picture
 * is resized to floor(size / crop_pct) and centre cropped. The `test_` values hold where the graph has the test size.
 */
export function timm(sidecars: Sidecars, input: PictureInput): Findings | null {
  const file = sidecarNamed(sidecars, 'config.json');
  const config = file && parseJson(file.text);
  if (!file || !isObject(config)) return null;
  const nested = config['pretrained_cfg'];
  const values = isObject(nested) ? nested : config;
  const plain = numbersOf(values['input_size']);
  if (plain?.length !== 3) return null;
  const from = (key: string): string =>
    `${file.name}: ${isObject(nested) ? 'pretrained_cfg.' : ''}${key}`;

  const test = numbersOf(values['test_input_size']);
  const isTest =
    test?.length === 3 &&
    input.height !== null &&
    input.height === test[1] &&
    input.height !== plain[1];
  const sizeKey = isTest ? 'test_input_size' : 'input_size';
  const [, height, width] = (isTest ? test : plain).map(sideOf);
  const ratioKey = isTest && values['test_crop_pct'] !== undefined ? 'test_crop_pct' : 'crop_pct';
  const given = values[ratioKey];
  const ratio = typeof given === 'number' && given > 0 && given <= 1 ? given : 0.875;
  const mode = values['crop_mode'];
  const interpolation =
    typeof values['interpolation'] === 'string'
      ? INTERPOLATIONS[values['interpolation']]
      : undefined;
  const [mean, std] = [numbersOf(values['mean']), numbersOf(values['std'])];
  const squash = mode === 'squash';
  return {
    ...(width !== undefined && height !== undefined
      ? { size: found({ width, height }, from(sizeKey)) }
      : {}),
    channels: found(plain[0] === 1 ? 'GRAY' : 'RGB', from('input_size')),
    scale: found(1 / 255, `${file.name}: timm scales by 1/255`),
    ...(mean ? { mean: found(mean, from('mean')) } : {}),
    ...(std ? { std: found(std, from('std')) } : {}),
    resize: found(
      squash ? 'stretch' : mode === 'border' ? 'letterbox' : 'crop',
      from(mode === undefined ? 'crop_pct' : 'crop_mode'),
    ),
    ...(height !== undefined && width !== undefined
      ? {
          shortestSide: found(
            Math.floor(Math.min(width, height) / ratio),
            from(`${sizeKey} / ${ratioKey}`),
          ),
        }
      : {}),
    interpolation: found(
      interpolation ?? 'bicubic',
      interpolation ? from('interpolation') : `${file.name}: timm uses bicubic by default`,
    ),
    notes:
      squash && ratio < 1
        ? [
            `${from('crop_mode')} squash crops a margin of ${Math.round((1 - ratio) * 100)} %, which is not done here.`,
          ]
        : [],
  };
}
