import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { seededFloats, writeModel, type NodeInput, type TensorInput } from './onnxWriter';

/** Builds a network layer by layer: nodes and weights in one place. Weights have the variance of He's initialisation. */
class NetworkBuilder {
  readonly nodes: NodeInput[] = [];
  readonly initializers: TensorInput[] = [];
  private seed = 1;

  conv(
    name: string,
    input: string,
    filters: number,
    channels: number,
    kernel: number,
    options: ConvOptions = {},
  ): string {
    const { stride = 1, groups = 1 } = options;
    const pad = Math.floor(kernel / 2);
    const slices = channels / groups;
    this.weight(`${name}.weight`, [filters, slices, kernel, kernel], slices * kernel * kernel);
    this.weight(`${name}.bias`, [filters], 1e4);
    return this.node(name, 'Conv', [input, `${name}.weight`, `${name}.bias`], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      dilations: [1, 1],
      group: groups,
    });
  }

  node(
    name: string,
    op: string,
    inputs: readonly string[],
    attributes: NodeInput['attributes'] = {},
  ): string {
    const output = `${name}_output`;
    this.nodes.push({ op, inputs, outputs: [output], name, attributes });
    return output;
  }

  weight(name: string, shape: readonly number[], fanIn: number): void {
    const count = shape.reduce((product, size) => product * size, 1);
    this.initializers.push({
      name,
      shape,
      data: seededFloats(this.seed++, count, Math.sqrt(6 / fanIn)),
    });
  }

  constant(name: string, values: readonly number[]): string {
    this.initializers.push({ name, shape: [], data: Float32Array.from(values) });
    return name;
  }

  /** Pools, flattens and classifies into 1000 classes; gives the file. */
  classifier(input: string, channels: number): Buffer {
    const pooled = this.node('avgpool', 'GlobalAveragePool', [input]);
    const flat = this.node('flatten', 'Flatten', [pooled], { axis: 1 });
    this.weight('fc.weight', [1000, channels], channels);
    this.weight('fc.bias', [1000], 1e4);
    this.nodes.push({
      op: 'Gemm',
      name: 'fc',
      inputs: [flat, 'fc.weight', 'fc.bias'],
      outputs: ['logits'],
      attributes: { transB: 1 },
    });
    return writeModel({
      nodes: this.nodes,
      initializers: this.initializers,
      inputs: [{ name: 'input', shape: [1, 3, 224, 224] }],
      outputs: [{ name: 'logits', shape: [1, 1000] }],
    });
  }
}

interface ConvOptions {
  readonly stride?: number;
  readonly groups?: number;
}

/** A network with the layers of ResNet-18 (arXiv 1512.03385, table 1; batch norm folded), random weights, 11.7 M parameters. */
export function resNet18(): Buffer {
  const net = new NetworkBuilder();
  const relu = (name: string, input: string): string => net.node(`${name}.relu`, 'Relu', [input]);
  let x = relu('conv1', net.conv('conv1', 'input', 64, 3, 7, { stride: 2 }));
  x = net.node('maxpool', 'MaxPool', [x], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  });
  let channels = 64;
  [64, 128, 256, 512].forEach((width, stage) => {
    for (let block = 0; block < 2; block++) {
      const name = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const first = relu(
        `${name}.conv1`,
        net.conv(`${name}.conv1`, x, width, channels, 3, { stride }),
      );
      const second = net.conv(`${name}.conv2`, first, width, width, 3);
      const shortcut =
        stride === 1 ? x : net.conv(`${name}.downsample`, x, width, channels, 1, { stride });
      x = relu(name, net.node(`${name}.add`, 'Add', [second, shortcut]));
      channels = width;
    }
  });
  return net.classifier(x, channels);
}

/** Expansion, channels, repeats and stride of the stages of MobileNetV2 (arXiv 1801.04381, table 2). */
const MOBILENET_STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** A network with the layers of MobileNetV2 (batch norm folded), random weights, 3.5 M parameters. */
export function mobileNetV2(): Buffer {
  const net = new NetworkBuilder();
  net.constant('zero', [0]);
  net.constant('six', [6]);
  const relu6 = (name: string, input: string): string =>
    net.node(`${name}.clip`, 'Clip', [input, 'zero', 'six']);
  let x = relu6('features.0', net.conv('features.0', 'input', 32, 3, 3, { stride: 2 }));
  let channels = 32;
  let index = 1;
  for (const [expansion, width, repeats, firstStride] of MOBILENET_STAGES)
    for (let repeat = 0; repeat < repeats; repeat++) {
      const name = `features.${index++}`;
      const stride = repeat === 0 ? firstStride : 1;
      const hidden = channels * expansion;
      const expanded =
        expansion === 1 ? x : relu6(`${name}.0`, net.conv(`${name}.0`, x, hidden, channels, 1));
      const filtered = relu6(
        `${name}.1`,
        net.conv(`${name}.1`, expanded, hidden, hidden, 3, { stride, groups: hidden }),
      );
      const projected = net.conv(`${name}.2`, filtered, width, hidden, 1);
      x =
        stride === 1 && width === channels
          ? net.node(`${name}.add`, 'Add', [x, projected])
          : projected;
      channels = width;
    }
  return net.classifier(relu6('features.18', net.conv('features.18', x, 1280, channels, 1)), 1280);
}

/** Linear layers of 2048 × 2048 with their weights in a sparse file of the given size beside the model; gives the model's path. */
export function writeExternalModel(folder: string, totalBytes: number): string {
  const width = 2048;
  const bytes = width * width * 4;
  const layers = Math.ceil(totalBytes / bytes);
  mkdirSync(folder, { recursive: true });
  const weights = openSync(path.join(folder, 'external.data'), 'w');
  ftruncateSync(weights, layers * bytes);
  closeSync(weights);
  const value = (layer: number): string => (layer === 0 ? 'input' : `layers.${layer - 1}_output`);
  const file = path.join(folder, 'external.onnx');
  writeFileSync(
    file,
    writeModel({
      nodes: Array.from({ length: layers }, (_, layer) => ({
        op: 'MatMul',
        name: `layers.${layer}`,
        inputs: [value(layer), `layers.${layer}.weight`],
        outputs: [value(layer + 1)],
      })),
      initializers: Array.from({ length: layers }, (_, layer) => ({
        name: `layers.${layer}.weight`,
        shape: [width, width],
        data: { location: 'external.data', offset: layer * bytes, length: bytes },
      })),
      inputs: [{ name: 'input', shape: [1, width] }],
      outputs: [{ name: value(layers), shape: [1, width] }],
    }),
  );
  return file;
}
