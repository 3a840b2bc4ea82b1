import type { LayerInfo, LayerParameter } from '../../../protocol/model';
import type { Graph, Node } from './graph';

const FOLDED_FROM = 'pkg.onnxscript.optimizer.folded_from';
const NAME_SCOPES = 'pkg.torch.onnx.name_scopes';

/** Suffixes that converters and quantisers add to the name of a parameter. */
const CONVERTED =
  /_(quantized|fp16|float16|int8|uint8|int4|bf16|transposed|merged|scaled|DQ_Q\d+|dequantized)$/i;

/** What inlining functions and branches puts in front of a name (spox: `If_0_else_branch__Inline_0__/stft/Conv`). */
const INLINED = /^(\w+?_branch__)*(Inline_\d+__)+/;

/** Longer names are no module paths. */
const MAX_NAME = 1000;

/**
 * The module that made a node, as a path in the code (`layer1.0.conv1`), from what the exporters leave in the file, most trusted first:
 *
 * 1. the state-dict name of its weight, then of its other parameters (`layer1.0.conv1.weight`, `folded_from` metadata); this comes first
 *    because a Conv with a folded BatchNorm carries the BatchNorm's metadata;
 * 2. `pkg.torch.onnx.name_scopes` without its last item, the operator (torch.onnx, dynamo exporter);
 * 3. the scoped node name of the TorchScript exporter (`/layer1/layer1.0/conv1/Conv`);
 * 4. the path of a Keras or TensorFlow node (`StatefulPartitionedCall/model/conv2d_3/BiasAdd`);
 * 5. the names of functions that the first dynamo exporters made of modules, once they are inlined;
 * 6. where the node has no name, the same read from its output's name.
 *
 * `graphs` are those that may hold metadata of its parameters. Null where none of these tells.
 */
export function modulePathOf(
  node: Node,
  parameters: readonly LayerParameter[],
  graphs: readonly Graph[],
): string | null {
  const [output = ''] = node.outputs;
  return (
    fromParameters(parameters, graphs) ??
    fromScopes(node.metadata.get(NAME_SCOPES)) ??
    fromNodeName(node, parameters) ??
    fromPath(output.replace(/(_output_\d+|:\d+)$/, ''))
  );
}

function fromParameters(
  parameters: readonly LayerParameter[],
  graphs: readonly Graph[],
): string | null {
  const weightFirst = parameters.toSorted(
    (a, b) => Number(b.role === 'weight') - Number(a.role === 'weight'),
  );
  for (const { name } of weightFirst) {
    const path = fromStateDict(name) ?? fromFolded(name, graphs);
    if (path !== null) return path;
  }
  return null;
}

function fromFolded(name: string, graphs: readonly Graph[]): string | null {
  for (const graph of graphs) {
    const sources = graph.valueMetadata.get(name)?.get(FOLDED_FROM);
    const [first] = sources === undefined ? [] : pythonStrings(sources);
    const path = first === undefined ? null : fromStateDict(first);
    if (path !== null) return path;
  }
  return null;
}

/**
 * `layer1.0.conv1.weight` → `layer1.0.conv1`, and Caffe2's `fire2/squeeze1x1_w_0` → `fire2.squeeze1x1`. Names that exporters make up
 * (`onnx::Conv_36`, `input.3`) are none.
 */
function fromStateDict(name: string): string | null {
  const plain = name.length > MAX_NAME ? '' : name.replace(INLINED, '').replace(CONVERTED, '');
  const caffe = /^([\w/-]+)_(w|b|scale|bias|mean|var|rm|riv|s)_0$/.exec(plain)?.[1];
  if (caffe !== undefined) return caffe.replaceAll('/', '.');
  if (!/^[\w-]+(\.[\w-]+)+$/.test(plain)) return null;
  const end = plain.lastIndexOf('.');
  return /^\d+$/.test(plain.slice(end + 1)) ? null : plain.slice(0, end);
}

/** The strings in the text of a Python list of strings. */
export function pythonStrings(text: string): readonly string[] {
  const found = text.slice(0, 20_000).matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g);
  return Array.from(found, match => (match[1] ?? match[2] ?? '').replace(/\\(.)/g, '$1'));
}

function fromScopes(scopes: string | undefined): string | null {
  if (scopes === undefined) return null;
  const path = pythonStrings(scopes).slice(0, -1).at(-1);
  return path !== undefined && /^[\w.-]+$/.test(path) ? path : null;
}

/** TensorFlow converters name a Conv after what was folded into it (a BatchNorm, a BiasAdd): its weight and bias know better. */
function fromNodeName(node: Node, parameters: readonly LayerParameter[]): string | null {
  if (node.op === 'Conv')
    for (const { name } of parameters) {
      const path = name.includes('/') ? fromPath(name) : null;
      if (path !== null) return path;
    }
  return fromPath(node.name);
}

function fromPath(name: string): string | null {
  if (name.length > MAX_NAME) return null;
  if (FUNCTION_CALL.test(name)) return fromFunctionCalls(name);
  const plain = name.replace(INLINED, '');
  const inlined = plain !== name;
  return plain.startsWith('/') || inlined
    ? fromTorchScript(plain.replace(/^\/?/, '/'))
    : fromTensorFlow(plain);
}

/**
 * `/layer1/layer1.0/conv1/Conv` → `layer1.0.conv1`: a segment of a container repeats the container's own (`layer1`, `layer1.0`), all
 * others follow the one before. The last segment is the operator.
 */
function fromTorchScript(name: string): string | null {
  const path: string[] = [];
  for (const segment of name.split('/').slice(1, -1)) {
    const before = path.at(-1);
    if (before !== undefined && segment.startsWith(`${before}.`)) path[path.length - 1] = segment;
    else if (segment !== '') path.push(segment);
  }
  return path.length === 0 ? null : path.join('.');
}

/** How the first dynamo exporters named the call of a module's function: Python module, class, path, two counters. */
const FUNCTION_CALL = /^torch[a-z_]*_[A-Z][A-Za-z0-9]*_\w+_\d+_\d+(\/|$)/;

/**
 * `torch_nn_modules_container_Sequential_layer1_1_5/torchvision_models_resnet_BasicBlock_layer1_0_1_0/aten_add_6/n0` → `layer1.0`, and
 * `…/torch_nn_modules_conv_Conv2d_getattr_L__self___layer2___0___conv1_1_0/…` → `layer2.0.conv1`.
 */
function fromFunctionCalls(name: string): string | null {
  let path: string | null = null;
  for (const segment of name.split('/')) {
    const module = /^[a-z_]+_[A-Z][A-Za-z0-9]*_(\w+)_\d+_\d+$/.exec(segment)?.[1];
    const whole = module?.split('L__self___')[1];
    if (whole !== undefined) path = whole.replaceAll('___', '.');
    else if (module !== undefined)
      path =
        path !== null && module.startsWith(`${path}_`)
          ? `${path}.${module.slice(path.length + 1)}`
          : module;
  }
  return path;
}

/** Names that Keras and TensorFlow put around a model. */
const TENSORFLOW_ROOT =
  /^(StatefulPartitionedCall|PartitionedCall|model|functional|sequential)(_\d+|__\d+|:\d+)?$/;

/** Scopes that TensorFlow makes inside of one layer. */
const TENSORFLOW_SCOPE =
  /^(Tensordot|einsum|moments|batchnorm|Conv2D|BiasAdd|ReadVariableOp|FusedBatchNorm(V3)?)$/;

/** `StatefulPartitionedCall/model/conv2d_3/BiasAdd` → `conv2d_3`: without the roots and without the operator. */
function fromTensorFlow(name: string): string | null {
  if (name.includes('::')) return null;
  const segments = name.split('/').filter(segment => segment !== '');
  while (segments.length > 2 && TENSORFLOW_ROOT.test(segments[0] ?? '')) segments.shift();
  if (segments.length < 2 || TENSORFLOW_ROOT.test(segments[0] ?? '')) return null;
  const path = segments.slice(0, -1);
  while (path.length > 1 && TENSORFLOW_SCOPE.test(path.at(-1) ?? '')) path.pop();
  return path.join('.');
}

/**
 * A module that is called again has `_1`, `_2` … behind its name in the TorchScript exporter's scopes (`layer1.0.relu_1`). Where the plain
 * name is there too and the layer has no parameters to tell them apart, both are the same module.
 */
export function withoutRepeats(layers: readonly LayerInfo[]): LayerInfo[] {
  const paths = new Set(layers.map(layer => layer.modulePath));
  return layers.map(layer => {
    const plain = layer.modulePath?.replace(/_\d+$/, '');
    if (plain === undefined || plain === layer.modulePath || layer.parameters.length > 0)
      return layer;
    return paths.has(plain) && layer.name.startsWith('/') ? { ...layer, modulePath: plain } : layer;
  });
}
