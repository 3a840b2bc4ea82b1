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
  if (first) {
    const listed = exact.slice(0, MOST_LISTED).map(({ id }) => id);
    const more = exact.length > listed.length ? ` and ${exact.length - listed.length} more` : '';
    throw new UserError(
      'layerAmbiguous',
      `"${name}" fits ${exact.length} layers: ${listed.join(', ')}${more}; give one of these names.`,
    );
  }
  const close =
    near.length > 0 ? `; the nearest names are ${near.join(', ')}.` : '; inspect lists them.';
  throw new UserError('layerNotFound', `${description.path} has no layer "${name}"${close}`);
}
