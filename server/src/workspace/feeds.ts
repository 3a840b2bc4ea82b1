import path from 'node:path';
import type { InputFeed, ModelFeeds } from '../../../protocol/methods';
import type { ModelDescription } from '../../../protocol/model';
import { UserError } from '../../../protocol/errors';

/**
 * What a picture or .npy feeds to a model. A picture goes to the first input that takes one; an array to the first input; what is left gets
 * its stated default. Throws `inputNeeded` where a picture is given and no input takes pictures.
 */
export function feedsFor(description: ModelDescription, input: string): ModelFeeds {
  if (input.toLowerCase().endsWith('.npy')) {
    const first = description.inputs[0];
    return first ? { [first.name]: { kind: 'array', path: input } } : {};
  }
  const [preprocessing] = description.preprocessing;
  if (!preprocessing)
    throw new UserError(
      'inputNeeded',
      `${path.basename(description.path)} has no input that takes a picture (${description.inputs.map(value => value.name).join(', ')}): choose an .npy file as input.`,
      { title: 'Choose Input…', command: 'layerLens.chooseInput' },
    );
  const feed: InputFeed = { kind: 'image', path: input, preprocessing };
  return { [preprocessing.input]: feed };
}
