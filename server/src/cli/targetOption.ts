import path from 'node:path';
import { statSync } from 'node:fs';
import type { TargetSpec } from '../../../protocol/attribution';
import { UserError } from '../../../protocol/errors';
import type { ModelDescription } from '../../../protocol/model';
import { suggestion } from './nearest';

const FORMS =
  'top, class=N, class=LABEL, class=A-B, output=NAME,index=I,J, output=NAME,weights=FILE.npy, channel=TENSOR,C[,Y,X], box=N, mask=FILE.png,class=N or sum';

/** What `--target` means. @throws UserError `usage`, `fileNotFound`. */
export function targetOf(text: string, description: ModelDescription): TargetSpec {
  if (text === 'top' || text === 'sum') return { kind: text };
  const [, key = '', rest = ''] = /^(\w+)=(.+)$/s.exec(text) ?? [];
  const spec = PARSERS.get(key)?.(rest, description);
  if (spec) return spec;
  throw new UserError('usage', `--target ${text} is not understood; it is ${FORMS}.`);
}

type Parser = (rest: string, description: ModelDescription) => TargetSpec | null;

const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['class', classTarget],
  [
    'output',
    rest => {
      const element = /^(.+),index=(\d+(?:,\d+)*)$/s.exec(rest);
      if (element)
        return { kind: 'element', tensor: element[1] ?? '', index: numbersOf(element[2] ?? '') };
      const weighted = /^(.+),weights=(.+)$/s.exec(rest);
      return (
        weighted && {
          kind: 'weighted',
          tensor: weighted[1] ?? '',
          weights: existing(weighted[2] ?? ''),
        }
      );
    },
  ],
  [
    'channel',
    rest => {
      const [, tensor = '', channel = '', place] = /^(.+?),(\d+)(?:,(\d+,\d+))?$/s.exec(rest) ?? [];
      if (tensor === '') return null;
      const [row, column] = place === undefined ? [] : numbersOf(place);
      const named = { kind: 'channel', tensor, channel: Number(channel) } as const;
      return row === undefined || column === undefined ? named : { ...named, row, column };
    },
  ],
  ['box', rest => (/^\d+$/.test(rest) ? { kind: 'box', index: Number(rest) } : null)],
  [
    'mask',
    rest => {
      const [, file = '', index = ''] = /^(.+),class=(\d+)$/s.exec(rest) ?? [];
      return file === '' ? null : { kind: 'mask', mask: existing(file), class: Number(index) };
    },
  ],
]);

/** A label of the model, a number, or two numbers with a minus between them; in this order, because labels may look like the others. */
function classTarget(rest: string, description: ModelDescription): TargetSpec | null {
  const names = description.labels?.names ?? [];
  const label = names.findIndex(name => name.toLowerCase() === rest.toLowerCase());
  if (label >= 0) return { kind: 'class', index: label };
  if (/^\d+$/.test(rest)) return { kind: 'class', index: Number(rest) };
  const [, index, minus] = /^(\d+)-(\d+)$/.exec(rest) ?? [];
  if (index !== undefined)
    return { kind: 'difference', index: Number(index), minus: Number(minus) };
  if (names.length === 0)
    throw new UserError(
      'usage',
      `--target class=${rest}: no labels were found for ${path.basename(description.path)}; give the class by number.`,
    );
  const close = suggestion(rest, names, '');
  throw new UserError('usage', `No class is called "${rest}"${close || '; give it by number.'}`);
}

const numbersOf = (text: string): number[] => text.split(',').map(Number);

/** @throws UserError `fileNotFound`. */
export function existing(file: string): string {
  const absolute = path.resolve(file);
  if (statSync(absolute, { throwIfNoEntry: false })?.isFile()) return absolute;
  throw new UserError('fileNotFound', `There is no file ${absolute}.`);
}
