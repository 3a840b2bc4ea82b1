import type { Dimension, LayerInfo } from './model';

/** What a layer is called: its module path, else its node name, else its id. */
export const layerLabel = (layer: Pick<LayerInfo, 'modulePath' | 'name' | 'id'>): string =>
  layer.modulePath || layer.name || layer.id;

/** `512×7×7`: a shape without its batch axis; `?` where nothing is known. */
export function shapeText(shape: readonly Dimension[] | null): string {
  if (shape === null) return '?';
  const inner = shape.length > 1 ? shape.slice(1) : shape;
  return inner.length === 0 ? 'scalar' : inner.map(size => size ?? '?').join('×');
}

const numbersOf = (layer: LayerInfo, name: string): readonly number[] => {
  const value = layer.attributes[name];
  return Array.isArray(value) ? value.filter(item => typeof item === 'number') : [];
};

/** `Conv 64→128 · 3×3 · stride 2 · groups 4`: an operator with what tells it from others of its kind. */
export function operatorText(layer: LayerInfo): string {
  const weight = layer.parameters.find(parameter => parameter.role === 'weight');
  const parts = [layer.op.replace(/^.*\./, '')];
  if (layer.kind === 'conv' && weight && weight.shape.length >= 3) {
    const groups = typeof layer.attributes['group'] === 'number' ? layer.attributes['group'] : 1;
    const [first = 0, second = 0, ...kernel] = weight.shape;
    const transposed = /ConvTranspose/.test(layer.op);
    parts[0] += transposed ? ` ${first}→${second * groups}` : ` ${second * groups}→${first}`;
    parts.push(kernel.join('×'));
    const strides = numbersOf(layer, 'strides');
    if (strides.some(stride => stride !== 1))
      parts.push(`stride ${[...new Set(strides)].join('×')}`);
    const dilations = numbersOf(layer, 'dilations');
    if (dilations.some(dilation => dilation !== 1))
      parts.push(`dilation ${[...new Set(dilations)].join('×')}`);
    if (groups > 1) parts.push(groups === first ? 'depthwise' : `groups ${groups}`);
  } else if (layer.kind === 'linear' && weight?.shape.length === 2) {
    const [rows = 0, columns = 0] = weight.shape;
    parts[0] += layer.attributes['transB'] === 1 ? ` ${columns}→${rows}` : ` ${rows}→${columns}`;
  } else if (layer.kind === 'pool') {
    const kernel = numbersOf(layer, 'kernel_shape');
    if (kernel.length > 0) parts.push(kernel.join('×'));
  }
  return parts.join(' · ');
}

/** One line that says what a layer is: `Conv 64→128 · 3×3 · stride 2 · out 128×28×28`. */
export const layerFacts = (layer: LayerInfo): string =>
  layer.outputShape === null
    ? operatorText(layer)
    : `${operatorText(layer)} · out ${shapeText(layer.outputShape)}`;

/** The quiet line above a definition: `64 filters 7×7 · out 64×112×112`. `output` is the layer that gives the output of a module. */
export function lensFacts(layer: LayerInfo, output: LayerInfo = layer): string {
  const weight = layer.parameters.find(parameter => parameter.role === 'weight');
  const out = output.outputShape === null ? [] : [`out ${shapeText(output.outputShape)}`];
  const isConvolution = layer.kind === 'conv' && !/ConvTranspose/.test(layer.op);
  if (isConvolution && weight && weight.shape.length >= 3)
    return [`${weight.shape[0] ?? 0} filters ${weight.shape.slice(2).join('×')}`, ...out].join(
      ' · ',
    );
  return [operatorText(layer), ...out].join(' · ');
}
