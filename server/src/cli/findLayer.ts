import { UserError } from '../../../protocol/errors';
import type { LayerInfo, ModelDescription } from '../../../protocol/model';
import { findLayers } from '../onnx/layerNames';

const MOST_LISTED = 12;

/**
 * The layer that a name means: node name, module path, initializer or tensor.
 * @throws UserError `layerNotFound` with the nearest names, `layerAmbiguous` with the list.
 */
export function findLayer(description: ModelDescription, name: string): LayerInfo {
  const { exact, near } = findLayers(description.layers, name);
  const [first, ...others] = exact;
  if (first && others.length === 0) return first;
  if (first) throw ambiguous(name, 'layers', exact);
  const close =
    near.length > 0 ? `; the nearest names are ${near.join(', ')}.` : '; inspect lists them.';
  throw new UserError('layerNotFound', `${description.path} has no layer "${name}"${close}`);
}

/**
 * As `findLayer`, but a module stands for its layer with weights, not for its output. Where it has none, `findLayer` decides.
 * @throws UserError also `layerAmbiguous` for modules of several layers with weights.
 */
export function findWeightedLayer(description: ModelDescription, name: string): LayerInfo {
  const { exact, members } = findLayers(description.layers, name);
  const isWeighted = (layer: LayerInfo): boolean => layer.parameters.length > 0;
  if (exact.some(isWeighted)) return findLayer(description, name);
  const weighted = members.filter(isWeighted);
  const [only, ...others] = weighted;
  if (only && others.length === 0) return only;
  if (only) throw ambiguous(name, 'layers with weights', weighted);
  return findLayer(description, name);
}

function ambiguous(name: string, what: string, layers: readonly LayerInfo[]): UserError {
  const listed = layers.slice(0, MOST_LISTED).map(({ id }) => id);
  const more = layers.length > listed.length ? ` and ${layers.length - listed.length} more` : '';
  return new UserError(
    'layerAmbiguous',
    `"${name}" fits ${layers.length} ${what}: ${listed.join(', ')}${more}; give one of these names.`,
  );
}
