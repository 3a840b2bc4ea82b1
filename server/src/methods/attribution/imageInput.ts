import { UserError } from '../../../../protocol/errors';
import type { ModelFeeds } from '../../../../protocol/methods';
import type { InputTensor } from './attributor';
import type { Derivatives } from './derivatives';
import { gridOf } from './layerGrid';

/**
 * The input that is explained: the one that is fed a picture, else the first of floats or bytes. With `needed` false, where only a layer is
 * explained, any input of numbers will do. @throws UserError `unsupported` where there is none.
 */
export function explainedInput(
  derivatives: Derivatives,
  feeds: ModelFeeds,
  needed: boolean,
): InputTensor {
  const { inputs } = derivatives.model.graph;
  const smooth = inputs.filter(({ name, dtype }) => derivatives.isFloat(name) || dtype === 'uint8');
  const pictured = smooth.find(({ name }) => feeds[name]?.kind === 'image');
  const numbers = needed ? [] : inputs.filter(({ dtype }) => dtype !== 'string');
  const chosen = pictured ?? smooth[0] ?? numbers[0];
  const tensor = chosen && derivatives.inputs.get(chosen.name);
  if (!chosen || !tensor)
    throw new UserError(
      'unsupported',
      `No input of this model holds floats or the bytes of a picture (${inputs.map(({ name, dtype }) => `${name}: ${dtype}`).join(', ')}); use the method gradient with a layer behind its embedding.`,
    );
  return { name: chosen.name, tensor, grid: gridOf(derivatives, chosen.name) };
}
