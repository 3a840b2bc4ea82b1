import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../../protocol/errors';
import type { Problem } from '../../../../protocol/model';
import type { PreprocessingOverrides } from '../../../../protocol/preprocessing';
import { warning } from './facts';
import { choicesFileName, isObject, numbersOf, parseJson, sideOf } from './sidecars';

/** What a person chose for a model: the content of `<model file>.layerlens.json`. */
export interface ModelChoices {
  /** By input name; `*` for all inputs. */
  readonly preprocessing: Readonly<Record<string, PreprocessingOverrides>>;
  /** The input picture, relative to the model with `/`, or absolute. */
  readonly image?: string;
  /** A labels file, likewise. */
  readonly labels?: string;
}

const VERSION = 1;
const NO_CHOICES: ModelChoices = { preprocessing: {} };

const oneOf = <T extends string>(value: unknown, allowed: readonly T[]): T | undefined =>
  allowed.find(candidate => candidate === value);

const finite = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** How each override is read; undefined refuses the value. */
const READERS: {
  readonly [K in keyof Required<PreprocessingOverrides>]: (
    value: unknown,
  ) => PreprocessingOverrides[K];
} = {
  layout: value => oneOf(value, ['NCHW', 'NHWC', 'CHW', 'HWC', 'NHW', 'HW']),
  width: sideOf,
  height: sideOf,
  channels: value => oneOf(value, ['RGB', 'BGR', 'GRAY', 'RGBA']),
  scale: finite,
  mean: numbersOf,
  std: numbersOf,
  resize: value => oneOf(value, ['stretch', 'crop', 'letterbox']),
  shortestSide: sideOf,
  border: value => {
    const level = finite(value);
    return level !== undefined && level >= 0 && level <= 255 ? level : undefined;
  },
  interpolation: value => oneOf(value, ['bilinear', 'bicubic', 'nearest']),
};

const isOverride = (key: string): key is keyof PreprocessingOverrides =>
  Object.hasOwn(READERS, key);

/** Reads overrides of unknown origin: what is no override or has a wrong value is left out and named in `refused`. */
export function readOverrides(value: unknown): {
  overrides: PreprocessingOverrides;
  refused: string[];
} {
  const entries = isObject(value) ? Object.entries(value) : [];
  const checked = entries.map(([key, given]) => ({
    key,
    read: isOverride(key) ? READERS[key](given) : undefined,
  }));
  return {
    overrides: Object.fromEntries(
      checked.filter(({ read }) => read !== undefined).map(({ key, read }) => [key, read]),
    ),
    refused: checked.filter(({ read }) => read === undefined).map(({ key }) => key.slice(0, 40)),
  };
}

/** Reads the text of a choices file; what cannot be used is left out with a problem. Never throws. */
export function parseChoices(
  text: string,
  name: string,
): { readonly choices: ModelChoices; readonly problems: readonly Problem[] } {
  const json = parseJson(text);
  if (!isObject(json))
    return {
      choices: NO_CHOICES,
      problems: [warning(`${name} is not JSON; it is ignored.`, name)],
    };
  if (json['version'] !== VERSION)
    return {
      choices: NO_CHOICES,
      problems: [warning(`${name} has a version that is not known here; it is ignored.`, name)],
    };
  const problems: Problem[] = [];
  const inputs = isObject(json['preprocessing']) ? Object.entries(json['preprocessing']) : [];
  const preprocessing = inputs.map(([input, value]) => {
    const { overrides, refused } = readOverrides(value);
    if (refused.length > 0)
      problems.push(
        warning(`${name}: ${refused.join(', ')} of input ${input} cannot be used.`, name),
      );
    return [input, overrides] as const;
  });
  const text1 = (key: 'image' | 'labels'): { readonly [K in typeof key]?: string } => {
    const value = json[key];
    return typeof value === 'string' && value !== '' && value.length < 4096 ? { [key]: value } : {};
  };
  return {
    choices: {
      preprocessing: Object.fromEntries(preprocessing),
      ...text1('image'),
      ...text1('labels'),
    },
    problems,
  };
}

/**
 * Writes the choices beside the model, all at once so that a reader never sees half a file. Removes the file where nothing is chosen. Throws
 * `fileUnreadable` where the folder cannot be written, for the caller to keep them elsewhere.
 */
export async function writeChoices(modelPath: string, choices: ModelChoices): Promise<void> {
  const file = path.join(path.dirname(modelPath), choicesFileName(modelPath));
  const preprocessing = Object.fromEntries(
    Object.entries(choices.preprocessing).filter(
      ([, overrides]) => Object.keys(overrides).length > 0,
    ),
  );
  const empty =
    Object.keys(preprocessing).length === 0 &&
    choices.image === undefined &&
    choices.labels === undefined;
  const half = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    if (empty) return await rm(file, { force: true });
    await writeFile(
      half,
      `${JSON.stringify({ version: VERSION, ...choices, preprocessing }, null, 2)}\n`,
      { flag: 'wx' },
    );
    await rename(half, file);
  } catch {
    await rm(half, { force: true }).catch(() => undefined);
    throw new UserError(
      'fileUnreadable',
      `${path.basename(file)} cannot be written beside the model: make its folder writable.`,
    );
  }
}
