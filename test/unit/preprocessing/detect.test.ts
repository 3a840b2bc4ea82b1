import { describe, expect, it } from 'vitest';
import type { DataType, Dimension, ValueInfo } from '../../../protocol/model';
import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import type { InputStart, StartStep } from '../../../server/src/onnx/inputStart';
import {
  detectPreprocessing,
  type Detection,
} from '../../../server/src/workspace/preprocessing/detect';
import type { Choice } from '../../../server/src/workspace/preprocessing/facts';
import type { Sidecars } from '../../../server/src/workspace/preprocessing/sidecars';

const value = (
  name: string,
  shape: readonly Dimension[],
  dtype: DataType = 'float32',
): ValueInfo => ({ name, dtype, shape });

interface Given {
  readonly shape?: readonly Dimension[];
  readonly dtype?: DataType;
  readonly classes?: readonly Dimension[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly start?: Partial<InputStart>;
  readonly files?: Readonly<Record<string, unknown>>;
  readonly choices?: readonly Choice[];
}

function detect({
  shape = ['N', 3, 224, 224],
  dtype,
  classes = ['N', 10],
  metadata = {},
  start,
  files = {},
  choices,
}: Given): Detection {
  const sidecars: Sidecars = {
    files: Object.entries(files).map(([name, content]) => ({
      name,
      path: name,
      text: typeof content === 'string' ? content : JSON.stringify(content),
    })),
    problems: [],
  };
  const whole: InputStart = {
    steps: [],
    normalises: false,
    mean: null,
    std: null,
    scale: null,
    castFrom: null,
    transposes: null,
    firstNodes: [],
    channels: null,
    ...start,
  };
  const facts = {
    inputs: [value('x', shape, dtype)],
    outputs: [value('y', classes)],
    metadata: new Map(Object.entries(metadata)),
    starts: new Map(start ? [['x', whole]] : []),
  };
  return detectPreprocessing(facts, sidecars, choices);
}

/** The values alone, and `guessed` the names of what is guessed. */
function plain(given: Given): Record<string, unknown> {
  const [spec] = detect(given).specs;
  return Object.fromEntries(
    Object.entries(spec ?? {}).flatMap(([key, traced]) =>
      typeof traced === 'object' && 'value' in traced ? [[key, traced.value]] : [],
    ),
  );
}
const sources = (given: Given, key: keyof PreprocessingSpec): unknown => {
  const traced = detect(given).specs[0]?.[key];
  return typeof traced === 'object' && 'from' in traced ? traced.from : undefined;
};

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const NONE = { mean: [0, 0, 0], std: [1, 1, 1] };

describe('channels that the shape leaves open', () => {
  const shape = ['batch_size', 'num_channels', 'height', 'width'];

  it('are those of the first Conv', () => {
    expect(plain({ shape, start: { channels: 1 } })).toMatchObject({
      layout: 'NCHW',
      channels: 'GRAY',
    });
    expect(plain({ shape: [null, null, null, null], start: { channels: 3 } })).toMatchObject({
      layout: 'NCHW',
      channels: 'RGB',
    });
    expect(sources({ shape, start: { channels: 3 } }, 'layout')).toMatch(/first Conv takes 3/);
  });

  it('are guessed where only their name is known, and are none without', () => {
    expect(plain({ shape })).toMatchObject({ layout: 'NCHW', channels: 'RGB' });
    expect(detect({ shape: ['N', 'heads', 'T', 'D'] }).specs).toEqual([]);
    expect(detect({ shape: ['N', 'a', 'b', 'c'], start: { channels: 16 } }).specs).toEqual([]);
  });
});

describe('guesses, marked as such', () => {
  it('takes ImageNet numbers for 1000 and 1001 classes', () => {
    for (const classes of [1000, 1001]) {
      const [spec] = detect({ classes: [1, classes] }).specs;
      expect(spec).toMatchObject({
        layout: { value: 'NCHW', guessed: false },
        size: { value: { width: 224, height: 224 }, guessed: false },
        channels: { value: 'RGB', guessed: true },
        scale: { value: 1 / 255, guessed: true },
        mean: {
          value: IMAGENET.mean,
          guessed: true,
          from: `guessed: 3 channels, ${classes} classes (ImageNet)`,
        },
        std: { value: IMAGENET.std, guessed: true },
        resize: { value: 'crop', guessed: true },
        shortestSide: { value: 256, guessed: true },
      });
    }
    expect(plain({ classes: [1, 1000, 1, 1] })).toMatchObject(IMAGENET);
  });

  it('takes nothing but 1/255 otherwise', () => {
    expect(plain({})).toMatchObject({ ...NONE, scale: 1 / 255, shortestSide: 224 });
    expect(plain({ shape: [1, 1, 28, 28] })).toMatchObject({
      channels: 'GRAY',
      mean: [0],
      std: [1],
      size: { width: 28, height: 28 },
    });
    expect(plain({ shape: [1, 257, 257, 3], classes: [1, 257, 257, 21] })).toMatchObject({
      layout: 'NHWC',
      ...NONE,
    });
    expect(plain({ shape: [1, 3, 240, 320] })).toMatchObject({
      resize: 'stretch',
      size: { width: 320, height: 240 },
    });
    expect(plain({ shape: [1, 3, 48, 'W'] })).toMatchObject({ size: { width: 48, height: 48 } });
    expect(plain({ shape: [3, 'height', 'width'] })).toMatchObject({ layout: 'CHW' });
    expect(plain({ shape: ['N', 3, 'H', 'W'] })).toMatchObject({
      size: { width: 224, height: 224 },
    });
  });

  it('feeds whole numbers as they are', () => {
    expect(plain({ dtype: 'uint8', classes: [1, 1000] })).toMatchObject({ scale: 1, ...NONE });
    expect(sources({ dtype: 'uint8' }, 'scale')).toBe('input type uint8');
  });

  it.each([
    [['batch', 7], 'int64'],
    [[1, 1, 2, 2], 'float32'],
    [[2, 'batch', 4, 'total', 8], 'float32'],
    [['b', 's', 64], 'float32'],
    [[1, 3, 16], 'float32'],
    [['batch_size', 'sequence_length', 4], 'float32'],
    [[], 'bool'],
  ] as const)('takes %j for no picture', (shape, dtype) => {
    expect(detect({ shape, dtype }).specs).toEqual([]);
  });
});

describe('Hugging Face', () => {
  const config = {
    do_resize: true,
    size: { height: 224, width: 224 },
    resample: 2,
    do_rescale: true,
    rescale_factor: 0.00392156862745098,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    image_processor_type: 'ViTImageProcessor',
  };
  const with_ = (change: object, more: Given = {}): Record<string, unknown> =>
    plain({ ...more, files: { '../preprocessor_config.json': { ...config, ...change } } });

  it('is read with its sources', () => {
    expect(with_({})).toMatchObject({
      mean: config.image_mean,
      std: config.image_std,
      resize: 'stretch',
      interpolation: 'bilinear',
      scale: 0.00392156862745098,
    });
    expect(sources({ files: { '../preprocessor_config.json': config } }, 'mean')).toBe(
      '../preprocessor_config.json: image_mean',
    );
  });

  it('crops from the shortest edge', () => {
    const crop = {
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      size: { shortest_edge: 256 },
      resample: 3,
    };
    expect(with_(crop)).toMatchObject({
      resize: 'crop',
      shortestSide: 256,
      interpolation: 'bicubic',
      size: { width: 224, height: 224 },
    });
  });

  it('stretches where the crop takes nothing away', () => {
    const size = { height: 224, width: 224 };
    expect(with_({ do_center_crop: true, crop_size: size, size })).toMatchObject({
      resize: 'stretch',
      size: { width: 224, height: 224 },
    });
  });

  it('ignores a stale crop size and says so', () => {
    const change = { do_center_crop: false, crop_size: 192 };
    expect(with_(change)).toMatchObject({ size: { width: 224, height: 224 }, resize: 'stretch' });
    expect(
      detect({
        files: { 'preprocessor_config.json': { ...config, ...change } },
      }).specs[0]?.notes.join(),
    ).toMatch(/crop_size is not used/);
  });

  it('scales the crop of ConvNeXt below 384', () => {
    expect(with_({ size: { shortest_edge: 224 }, crop_pct: 0.875 })).toMatchObject({
      resize: 'crop',
      shortestSide: 256,
    });
  });

  it('folds EfficientNet’s offset and second normalisation', () => {
    const change = {
      image_processor_type: 'EfficientNetImageProcessor',
      rescale_offset: true,
      include_top: true,
      rescale_factor: 1 / 127.5,
      image_mean: [0, 0, 0],
      image_std: [0.5, 0.25, 1],
    };
    expect(with_(change)).toMatchObject({ mean: [1, 1, 1], std: [0.25, 0.0625, 1] });
  });

  it('feeds BGR where the processor flips, with mean in that order', () => {
    expect(with_({ do_flip_channel_order: true, image_mean: [0.1, 0.2, 0.3] })).toMatchObject({
      channels: 'BGR',
      mean: [0.3, 0.2, 0.1],
    });
  });

  it('says what CLIP uses when its file does not', () => {
    const [spec] = detect({
      files: {
        'preprocessor_config.json': {
          feature_extractor_type: 'CLIPFeatureExtractor',
          do_normalize: true,
          size: 224,
        },
      },
    }).specs;
    expect(spec?.mean).toMatchObject({
      guessed: true,
      from: 'guessed: default of CLIPFeatureExtractor',
    });
    expect(spec?.mean.value[0]).toBeCloseTo(0.4815, 4);
  });

  it('lets the fixed size of the graph win', () => {
    const [spec] = detect({
      shape: [1, 3, 384, 384],
      files: { 'preprocessor_config.json': config },
    }).specs;
    expect(spec?.size).toMatchObject({
      value: { width: 384, height: 384 },
      from: 'shape of input x',
    });
    expect(spec?.notes.join()).toMatch(/says width 224, but the graph takes 384/);
  });
});

describe('timm', () => {
  const cfg = {
    input_size: [3, 224, 224],
    test_input_size: [3, 288, 288],
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    interpolation: 'bicubic',
    crop_pct: 0.9,
    test_crop_pct: 1,
  };
  it('resizes to size / crop_pct', () => {
    expect(plain({ files: { 'config.json': { pretrained_cfg: cfg } } })).toMatchObject({
      shortestSide: 248,
      interpolation: 'bicubic',
      mean: cfg.mean,
      resize: 'crop',
    });
    expect(plain({ files: { 'config.json': cfg } })).toMatchObject({ shortestSide: 248 });
  });
  it('takes the test values where the graph has the test size', () => {
    expect(plain({ shape: [1, 3, 288, 288], files: { 'config.json': cfg } })).toMatchObject({
      shortestSide: 288,
    });
  });
  it('stretches for squash', () => {
    expect(plain({ files: { 'config.json': { ...cfg, crop_mode: 'squash' } } })).toMatchObject({
      resize: 'stretch',
    });
  });
  it('is not taken for other config files', () => {
    expect(sources({ files: { 'config.json': { id2label: { 0: 'a' } } } }, 'mean')).toMatch(
      /^guessed/,
    );
  });
});

describe('metadata', () => {
  it('Image.* in any case', () => {
    const metadata = {
      'image.bitmappixelformat': 'BGR8',
      'Image.NominalPixelRange': 'Normalized_1_1',
    };
    expect(plain({ metadata })).toMatchObject({
      channels: 'BGR',
      scale: 2 / 255,
      mean: [1, 1, 1],
      std: [1, 1, 1],
    });
    expect(plain({ metadata: { 'Image.NominalPixelRange': 'NominalRange_0_255' } })).toMatchObject({
      scale: 1,
      ...NONE,
    });
  });

  const yolo = {
    author: 'Ultralytics',
    task: 'detect',
    imgsz: '[640, 480]',
    stride: '32',
    names: "{0: 'person', 1: 'bicycle'}",
  };
  it('Ultralytics detectors', () => {
    const given = { metadata: yolo, shape: ['N', 3, 'H', 'W'] };
    expect(plain(given)).toMatchObject({
      size: { width: 480, height: 640 },
      resize: 'letterbox',
      border: 114,
      scale: 1 / 255,
      ...NONE,
    });
    expect(sources(given, 'size')).toBe('metadata: imgsz');
  });
  it('Ultralytics classifiers', () => {
    expect(
      plain({ metadata: { ...yolo, task: 'classify', imgsz: '[224, 224]' }, classes: [1, 1000] }),
    ).toMatchObject({ resize: 'crop', shortestSide: 224, ...NONE });
  });
  it('Custom Vision with low confidence', () => {
    const [spec] = detect({ files: { 'cvexport.manifest': '{}' } }).specs;
    expect(spec?.resize.value).toBe('stretch');
    expect(spec?.notes.join()).toMatch(/low confidence/);
  });
});

describe('what the graph does itself', () => {
  const arithmetic = (op: 'Sub' | 'Div', values: readonly number[]): StartStep => ({
    kind: 'arithmetic',
    node: op,
    op,
    values,
  });
  const graph = {
    steps: [arithmetic('Sub', [127]), arithmetic('Div', [128])],
    normalises: true,
    mean: [127],
    std: [128],
  };
  it('is not done twice, whatever a file says', () => {
    const config = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], do_normalize: true };
    const given = { start: graph, files: { 'preprocessor_config.json': config } };
    expect(plain(given)).toMatchObject({ scale: 1, ...NONE });
    expect(sources(given, 'mean')).toBe('graph: Sub 127, Div 128');
    expect(detect(given).specs[0]?.notes.join()).toMatch(/normalises by itself/);
  });
  it('takes 0…1 where the constants are that small', () => {
    expect(plain({ start: { ...graph, mean: IMAGENET.mean, std: IMAGENET.std } })).toMatchObject({
      scale: 1 / 255,
      ...NONE,
    });
  });
  it('knows torchvision’s transform_input', () => {
    const start = { ...graph, mean: [0.0655, 0.1964, 0.4178], std: [2.1834, 2.2321, 2.2222] };
    expect(plain({ start })).toMatchObject({ scale: 1 / 255, ...IMAGENET });
  });
  it('only guesses behind a BatchNormalization', () => {
    const start = {
      steps: [{ kind: 'batchNormalization', node: 'bn' }],
      normalises: true,
      mean: [0.4],
      std: [0.2],
    } as const;
    expect(detect({ start }).specs[0]?.scale).toMatchObject({ value: 1 / 255, guessed: true });
  });
});

describe('what a person chose', () => {
  it('wins over everything, the nearest source first', () => {
    const choices = [
      { overrides: { x: { mean: [0.1, 0.2, 0.3], width: 320 } }, from: 'command line' },
    ];
    const files = {
      'm.onnx.layerlens.json': {
        version: 1,
        preprocessing: { '*': { mean: [9, 9, 9], scale: 1, channels: 'BGR' } },
      },
    };
    const given = { choices, files, classes: [1, 1000] };
    expect(plain(given)).toMatchObject({
      mean: [0.1, 0.2, 0.3],
      scale: 1,
      channels: 'BGR',
      size: { width: 320, height: 224 },
    });
    expect(sources(given, 'scale')).toBe('m.onnx.layerlens.json');
    expect(sources(given, 'mean')).toBe('command line');
    expect(detect(given).specs[0]?.notes.join()).toMatch(/declares width 224; 320 was chosen/);
  });
  it('turns a detected mean round when the order is', () => {
    const choices = [{ overrides: { '*': { channels: 'BGR' as const } }, from: 'settings' }];
    expect(plain({ choices, classes: [1, 1000] })).toMatchObject({
      mean: [0.406, 0.456, 0.485],
      std: [0.225, 0.224, 0.229],
    });
  });
  it('makes a picture of an input that does not look like one', () => {
    const choices = [{ overrides: { x: { layout: 'HW' as const } }, from: 'settings' }];
    expect(plain({ shape: [28, 28], choices })).toMatchObject({
      layout: 'HW',
      channels: 'GRAY',
      size: { width: 28, height: 28 },
    });
  });
  it('is refused piece by piece where it is wrong', () => {
    const files = {
      'm.onnx.layerlens.json': {
        version: 1,
        preprocessing: { x: { scale: 'big', resize: 'crop' } },
      },
    };
    expect(detect({ files }).problems.map(problem => problem.message)).toEqual([
      'm.onnx.layerlens.json: scale of input x cannot be used.',
    ]);
    expect(sources({ files }, 'resize')).toBe('m.onnx.layerlens.json');
    expect(detect({ files: { 'm.onnx.layerlens.json': '{' } }).problems[0]?.message).toMatch(
      /is not JSON/,
    );
    expect(
      detect({ files: { 'm.onnx.layerlens.json': { version: 7 } } }).problems[0]?.message,
    ).toMatch(/version/);
  });
});
