import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../protocol/errors';
import type { PreprocessingOverrides } from '../../../protocol/preprocessing';
import { parseChoices, writeChoices, type ModelChoices } from './preprocessing/choicesFile';
import type { Choice } from './preprocessing/facts';
import { readText } from './preprocessing/readText';
import { choicesFileName } from './preprocessing/sidecars';

const MAXIMUM_BYTES = 1 << 20;

/** Where choices are kept when the model's folder cannot be written. */
const storedFile = (model: string, storage: string): string =>
  path.join(
    storage,
    `${createHash('sha256').update(model).digest('hex').slice(0, 24)}.layerlens.json`,
  );

/** What a person chose for a model and could not be kept beside it; null where there is nothing. */
export async function storedChoice(model: string, storage: string | null): Promise<Choice | null> {
  if (storage === null) return null;
  const choices = await readChoices(storedFile(model, storage));
  return choices && { overrides: choices.preprocessing, from: 'chosen for this workspace' };
}

/** Keeps overrides for all inputs of a model: beside it, else in the workspace's storage. Throws `fileUnreadable` where neither can be written. */
export async function keepOverrides(
  model: string,
  overrides: PreprocessingOverrides,
  storage: string | null,
): Promise<void> {
  const beside = path.join(path.dirname(model), choicesFileName(model));
  const choices: ModelChoices = {
    ...(await readChoices(beside)),
    preprocessing: { '*': overrides },
  };
  try {
    await writeChoices(model, choices);
  } catch (error) {
    if (!(error instanceof UserError) || storage === null) throw error;
    await mkdir(storage, { recursive: true });
    await writeFile(storedFile(model, storage), JSON.stringify({ version: 1, ...choices }));
  }
}

async function readChoices(file: string): Promise<ModelChoices | null> {
  try {
    return parseChoices(await readText(file, MAXIMUM_BYTES), file).choices;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
