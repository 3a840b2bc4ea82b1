import { opendir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../../protocol/errors';
import type { Problem } from '../../../../protocol/model';
import { warning } from './facts';
import { readText } from './readText';

/** A small text file near a model. */
export interface Sidecar {
  /** As shown to people, relative to the model: `config.json`, `../config.json`. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** The text files near a model that say how it is fed or what its classes are called; the nearest first. */
export interface Sidecars {
  readonly files: readonly Sidecar[];
  readonly problems: readonly Problem[];
}

const NAMES: readonly RegExp[] = [
  /^(preprocessor_config|config|labels|label_map|cvexport)\.(json|manifest)$/i,
  /^(labels|classes|synset|synset_words)\.txt$/i,
  /^imagenet[_-]?(classes|labels)\.(txt|json)$/i,
  /^[\w.-]+\.names$/i,
  /^data\.ya?ml$/i,
];

const MAXIMUM_BYTES = 4 << 20;
/** Entries of a folder that are looked at; a data set's folder holds many more. */
const MAXIMUM_ENTRIES = 5000;
const MAXIMUM_FILES = 20;

/** Name of the file beside a model that keeps what a person chose for it. */
export const choicesFileName = (modelPath: string): string =>
  `${path.basename(modelPath)}.layerlens.json`;

/**
 * Reads the sidecars of a model: in its own folder and, where that is called `onnx`, one level above. Links that lead out of these folders
 * (and out of the folder that the model itself is linked from) are left out with a problem.
 */
export async function readSidecars(modelPath: string): Promise<Sidecars> {
  const folder = path.dirname(path.resolve(modelPath));
  const folders =
    path.basename(folder).toLowerCase() === 'onnx' ? [folder, path.dirname(folder)] : [folder];
  const allowed = await Promise.all([
    ...folders.map(realFolder),
    realFolder(modelPath).then(path.dirname),
  ]);
  const files: Sidecar[] = [];
  const problems: Problem[] = [];
  for (const each of folders)
    for (const name of await sidecarNames(each, modelPath)) {
      const file = path.join(each, name);
      const shown = path.relative(folder, file).split(path.sep).join('/');
      try {
        if (!allowed.includes(path.dirname(await realFolder(file))))
          problems.push(
            warning(
              `${shown} is a link that leads out of the model's folder; it was not read.`,
              shown,
            ),
          );
        else files.push({ name: shown, path: file, text: await readText(file, MAXIMUM_BYTES) });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push(warning(error.message, shown));
      }
    }
  return { files, problems };
}

/** The path without links; as it is where it does not exist. */
const realFolder = (file: string): Promise<string> =>
  realpath(file).catch(() => path.resolve(file));

async function sidecarNames(folder: string, modelPath: string): Promise<string[]> {
  const own = choicesFileName(modelPath);
  const names: string[] = [];
  const directory = await opendir(folder).catch(() => null);
  if (!directory) return names;
  let seen = 0;
  for await (const entry of directory) {
    if (++seen > MAXIMUM_ENTRIES) break;
    const matches = entry.name === own || NAMES.some(pattern => pattern.test(entry.name));
    if (matches && !entry.isDirectory()) names.push(entry.name);
  }
  return names.sort().slice(0, MAXIMUM_FILES);
}

/** The first sidecar with this base name. */
export const sidecarNamed = (sidecars: Sidecars, name: string): Sidecar | undefined =>
  sidecars.files.find(file => path.posix.basename(file.name).toLowerCase() === name.toLowerCase());

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The JSON of a file, undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Finite numbers of a list (or one number), else undefined. */
export function numbersOf(value: unknown): readonly number[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const numbers = list.filter(item => typeof item === 'number' && Number.isFinite(item));
  return list.length > 0 && list.length <= 16 && numbers.length === list.length
    ? numbers.map(Number)
    : undefined;
}

/** A whole number above zero and small enough for a side of a picture. */
export const sideOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 16384
    ? value
    : undefined;
