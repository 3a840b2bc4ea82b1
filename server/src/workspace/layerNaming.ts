import type { LayerInfo } from '../../../protocol/model';
import type { SourceName } from '../source/pythonNames';
import { findLayers } from '../onnx/layerNames';

export interface NamedLayer {
  readonly layer: LayerInfo;
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
    const [layer] = findLayers(layers, name).exact;
    if (layer)
      return { layer, name, from: source.form === 'string' ? 'string' : `attribute ${name}` };
  }
  if (source.form === 'string') return null;
  const [first] = source.names;
  const name = first?.replaceAll(/\[(\w+)\]/g, '.$1');
  if (name === undefined || name.length < 2) return null;
  const ending = layers.filter(layer => layer.modulePath?.endsWith(`.${name}`));
  const [layer] = ending;
  if (!layer) return null;
  const from =
    ending.length === 1
      ? `attribute, the end of ${layer.modulePath ?? name}`
      : `attribute, 1 of ${ending.length} layers whose path ends in ${name}`;
  return { layer, name, from };
}

/** Words of plain text are no layer names. */
const looksLikeLayerName = (text: string): boolean =>
  /^[\w./:\-[\]()]+$/.test(text) && /[A-Za-z]/.test(text) && text.length > 1;
