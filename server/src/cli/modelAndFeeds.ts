import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../protocol/errors';
import type { InputFeed, ModelFeeds } from '../../../protocol/methods';
import type { ModelDescription } from '../../../protocol/model';
import type { PreprocessingOverrides } from '../../../protocol/preprocessing';
import { describeModel, type DescribedModel } from '../workspace/describeModel';
import type { OptionSpec } from './command';
import type { ParsedArguments } from './parseArguments';
import { preprocessingOverrides } from './preprocessingOptions';

export const INPUT_OPTION: OptionSpec = {
  name: 'input',
  value: '[NAME=]X',
  help: 'A picture (preprocessed as the model asks) or a .npy (fed as it is), for the input NAME.',
  repeatable: true,
};

/** Describes a model; overrides of this command line go before what is kept beside the model. */
export const openModel = (
  file: string,
  overrides: PreprocessingOverrides = {},
): Promise<DescribedModel> =>
  describeModel(path.resolve(file), [{ overrides: { '*': overrides }, from: 'command line' }]);

/** The model and what is fed to it, from `--input` and the preprocessing options. */
export async function openModelAndFeeds(
  given: ParsedArguments,
): Promise<{ readonly described: DescribedModel; readonly feeds: ModelFeeds }> {
  const described = await openModel(given.word(0), preprocessingOverrides(given));
  return { described, feeds: feedsOf(described.description, given.all('input')) };
}

/**
 * What each graph input is fed. A picture without a name goes to the first input that takes pictures, an array without a name to the
 * first input that has nothing yet; inputs that are not named keep their stated default.
 * @throws UserError `fileNotFound`, `usage` for inputs fed twice, `inputNeeded` for pictures that no input takes.
 */
export function feedsOf(description: ModelDescription, values: readonly string[]): ModelFeeds {
  const feeds: Record<string, InputFeed> = {};
  for (const value of values) {
    const { name, file } = splitInput(description, value);
    const isArray = file.toLowerCase().endsWith('.npy');
    const input = name ?? (isArray ? freeInput(description, feeds) : pictureInput(description));
    if (Object.hasOwn(feeds, input))
      throw new UserError(
        'usage',
        `The input "${input}" is given twice; name each input once, as in --input NAME=FILE.`,
      );
    feeds[input] = isArray ? { kind: 'array', path: file } : imageFeed(description, input, file);
  }
  return feeds;
}

/** `NAME=FILE` where NAME is an input; a file name may hold an equals sign itself. */
function splitInput(
  description: ModelDescription,
  value: string,
): { readonly name: string | null; readonly file: string } {
  const named = description.inputs
    .filter(input => value.startsWith(`${input.name}=`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  const file = path.resolve(named ? value.slice(named.name.length + 1) : value);
  if (fs.statSync(file, { throwIfNoEntry: false })) return { name: named?.name ?? null, file };
  const names = description.inputs.map(input => input.name).join(', ');
  const equals = value.indexOf('=');
  throw named || equals < 0
    ? new UserError('fileNotFound', `There is no file ${file}.`)
    : new UserError(
        'usage',
        `The model has no input "${value.slice(0, equals)}"; its inputs are ${names}.`,
      );
}

function freeInput(
  description: ModelDescription,
  feeds: Readonly<Record<string, InputFeed>>,
): string {
  const free = description.inputs.find(({ name }) => !Object.hasOwn(feeds, name));
  if (!free)
    throw new UserError(
      'usage',
      `The model has ${description.inputs.length} inputs, and more were given.`,
    );
  return free.name;
}

function pictureInput(description: ModelDescription): string {
  const [first] = description.preprocessing;
  if (first) return first.input;
  const names = description.inputs.map(input => input.name).join(', ');
  throw new UserError(
    'inputNeeded',
    `${path.basename(description.path)} has no input that takes a picture (its inputs are ${names}); give a .npy file.`,
  );
}

function imageFeed(description: ModelDescription, input: string, file: string): InputFeed {
  const preprocessing = description.preprocessing.find(spec => spec.input === input);
  if (preprocessing) return { kind: 'image', path: file, preprocessing };
  throw new UserError(
    'inputNeeded',
    `The input "${input}" takes no picture; give a .npy file for it.`,
  );
}
