import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../../protocol/errors';
import type {
  PreprocessingOverrides,
  PreprocessingSpec,
  Traced,
} from '../../../protocol/preprocessing';
import type { Server } from '../server';

type Key = keyof PreprocessingOverrides;

/** How one number is asked for: what stands now, and what a person may type or pick. */
interface Field {
  readonly key: Key;
  readonly label: string;
  readonly now: Traced<unknown>;
  readonly text: string;
  readonly choices?: readonly string[];
}

/** Lets a person override how pictures become the input of a model; the choice is kept beside the model. */
export async function editPreprocessing(server: Server, model: string): Promise<void> {
  const { preprocessing } = await server.describe(model);
  const [spec] = preprocessing;
  if (!spec)
    throw new UserError(
      'inputNeeded',
      `${path.basename(model)} has no input that takes a picture, so there is nothing to change.`,
    );
  const fields = fieldsOf(spec);
  const items = fields.map(field => ({
    label: field.label,
    description: field.text,
    detail: field.now.from,
    field,
  }));
  const back = {
    label: '$(discard) Back to what is detected',
    description: '',
    detail: 'removes what was chosen for this model',
    field: null,
  };
  const picked = await vscode.window.showQuickPick([...items, back], {
    placeHolder: `How pictures are fed to ${path.basename(model)}`,
  });
  if (!picked) return;
  if (picked.field === null) {
    await server.request('layerLens/setPreprocessing', { model, overrides: {} });
    return;
  }
  const value = await ask(picked.field);
  if (value === undefined) return;
  const chosen = fields.filter(
    ({ now }) => now.from.endsWith('.layerlens.json') || now.from === 'chosen for this workspace',
  );
  const kept: PreprocessingOverrides = Object.fromEntries(
    chosen.map(({ key, now }) => [key, now.value]),
  );
  await server.request('layerLens/setPreprocessing', {
    model,
    overrides: { ...kept, [picked.field.key]: value },
  });
}

function fieldsOf(spec: PreprocessingSpec): readonly Field[] {
  const plain = (
    key: Key,
    label: string,
    now: Traced<unknown>,
    choices?: readonly string[],
  ): Field => ({
    ...{
      key,
      label,
      now,
      text: Array.isArray(now.value) ? now.value.join(', ') : textOf(now.value),
    },
    ...(choices ? { choices } : {}),
  });
  const { size } = spec;
  return [
    plain('width', 'Width', { ...size, value: size.value.width }),
    plain('height', 'Height', { ...size, value: size.value.height }),
    plain('resize', 'Resize', spec.resize, ['stretch', 'crop', 'letterbox']),
    plain('shortestSide', 'Shortest side before the crop', spec.shortestSide),
    plain('border', 'Border of a letterbox', spec.border),
    plain('interpolation', 'Interpolation', spec.interpolation, ['bilinear', 'bicubic', 'nearest']),
    plain('channels', 'Channels', spec.channels, ['RGB', 'BGR', 'GRAY', 'RGBA']),
    plain('scale', 'Scale', spec.scale),
    plain('mean', 'Mean', spec.mean),
    plain('std', 'Standard deviation', spec.std),
    plain('layout', 'Layout', spec.layout, ['NCHW', 'NHWC', 'CHW', 'HWC', 'NHW', 'HW']),
  ];
}

/** Scales are known as fractions: 1/255 rather than 0.00392156862745098. */
function textOf(value: unknown): string {
  if (typeof value !== 'number' || value === 0 || Number.isInteger(value)) return String(value);
  const inverse = Math.round(1 / value);
  return Math.abs(inverse) > 1 && 1 / inverse === value ? `1/${inverse}` : String(value);
}

/** A word, a number or a list of numbers; undefined where the person changed their mind. */
async function ask({
  label,
  text,
  choices,
  now,
}: Field): Promise<string | number | readonly number[] | undefined> {
  if (choices) return vscode.window.showQuickPick([...choices], { placeHolder: label });
  const isList = Array.isArray(now.value);
  const typed = await vscode.window.showInputBox({
    prompt: isList ? `${label}: one number per channel, separated by commas` : label,
    value: text,
    validateInput: value =>
      numbers(value).every(Number.isFinite) && (isList || numbers(value).length === 1)
        ? null
        : 'Numbers are needed here.',
  });
  if (typed === undefined) return undefined;
  return isList ? numbers(typed) : numbers(typed)[0];
}

/** `1/255` is a number too. */
const numbers = (text: string): readonly number[] =>
  text.split(',').map(part => {
    const [top = Number.NaN, bottom = 1] = part
      .split('/')
      .map(piece => (piece.trim() === '' ? Number.NaN : Number(piece)));
    return top / bottom;
  });
