import type { LayerInfo } from '../../../protocol/model';
import type { SourceName } from '../source/pythonNames';
import { findLayers } from '../onnx/layerNames';

export interface NamedLayer {
  readonly layer: LayerInfo;
  /** Where `layer` has no weights and a module is named: the module's layer with the most. */
  readonly weightLayer: LayerInfo | null;
  /** The text that was matched. */
  readonly name: string;
  /** How, for a person: `attribute self.layer1`, `string`, `1 of 4 layers whose path ends in conv1`. */
  readonly from: string;
}

/**
 * The layer that a name in source code means. A string must be a full name; an attribute may also be the end of a module path, since a
 * class does not know where its instances are used: then the first such layer is given and the number of others is said.
 */
export function layerNamed(layers: readonly LayerInfo[], source: SourceName): NamedLayer | null {
  for (const name of source.names) {
    if (source.form === 'string' && !looksLikeLayerName(name)) return null;
    const found = moduleOrLayer(layers, name);
    if (found)
      return { ...found, name, from: source.form === 'string' ? 'string' : `attribute ${name}` };
  }
  const [first] = source.names;
  const name = first?.replaceAll(/\[(\w+)\]/g, '.$1') ?? '';
  if (source.form === 'string' || name.length < 2) return null;
  const paths = modulesEndingIn(layers, name);
  const [path] = paths;
  const found = path === undefined ? null : moduleOrLayer(layers, path);
  if (!found || path === undefined) return null;
  const from =
    paths.length === 1
      ? `attribute, the end of ${path}`
      : `attribute, 1 of ${paths.length} modules whose path ends in ${name}`;
  return { ...found, name, from };
}

function moduleOrLayer(
  layers: readonly LayerInfo[],
  name: string,
): Pick<NamedLayer, 'layer' | 'weightLayer'> | null {
  const { exact, members } = findLayers(layers, name);
  const [layer] = exact;
  if (!layer) return null;
  return { layer, weightLayer: hasFilters(layer) ? null : mainLayer(members) };
}

/** The layer with the most weights, the last of those: of a residual block its convolution, not its shortcut. */
const mainLayer = (members: readonly LayerInfo[]): LayerInfo | null =>
  members
    .filter(hasFilters)
    .reduce<LayerInfo | null>(
      (most, layer) => (most && most.parameterCount > layer.parameterCount ? most : layer),
      null,
    );

/** Module paths `….name`, in the order of the graph: modules that the name may mean where its class does not know its place. */
function modulesEndingIn(layers: readonly LayerInfo[], name: string): readonly string[] {
  const paths = layers.flatMap(({ modulePath }) => {
    const at = modulePath === null ? -1 : `${modulePath}.`.indexOf(`.${name}.`);
    return modulePath === null || at < 0 ? [] : [modulePath.slice(0, at + 1 + name.length)];
  });
  return [...new Set(paths)];
}

const hasFilters = ({ kind, parameters }: LayerInfo): boolean =>
  (kind === 'conv' || kind === 'linear') &&
  parameters.some(parameter => parameter.role === 'weight');

/** Words of plain text are no layer names. */
const looksLikeLayerName = (text: string): boolean =>
  /^[\w./:\-[\]()]+$/.test(text) && /[A-Za-z]/.test(text) && text.length > 1;
