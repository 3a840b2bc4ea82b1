import { UserError } from '../../../../protocol/errors';
import type { ModelFeeds } from '../../../../protocol/methods';
import type { InputTensor } from './attributor';
import type { Derivatives } from './derivatives';
import { gridOf } from './layerGrid';

/** The input that is explained: the one that is fed a picture, else the first of a float type. @throws UserError `unsupported` where there is none. */
export function explainedInput(derivatives: Derivatives, feeds: ModelFeeds): InputTensor {
  const inputs = derivatives.model.graph.inputs.filter(({ dtype }) =>
    ['float32', 'float64'].includes(dtype),
  );
  const pictured = inputs.find(({ name }) => feeds[name]?.kind === 'image');
  const chosen = pictured ?? inputs[0];
  const tensor = chosen && derivatives.inputs.get(chosen.name);
  if (!chosen || !tensor)
    throw new UserError(
      'unsupported',
      `No input of this model is a float tensor (${derivatives.model.graph.inputs.map(({ name, dtype }) => `${name}: ${dtype}`).join(', ')}); name a layer behind its embedding with --layer.`,
    );
  return { name: chosen.name, tensor, grid: gridOf(derivatives, chosen.name) };
}
