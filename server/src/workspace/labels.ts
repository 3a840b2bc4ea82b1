import path from 'node:path';
import { UserError } from '../../../protocol/errors';
import type { LabelsInfo, Problem, ValueInfo } from '../../../protocol/model';
import { classAxes, warning, type ClassAxis } from './preprocessing/facts';
import { parsePythonLiteral } from './preprocessing/pythonLiteral';
import { readText } from './preprocessing/readText';
import { isObject, parseJson, type Sidecars } from './preprocessing/sidecars';

/** Largest labels file and longest label; ImageNet-21k's file has half a megabyte. */
const MAXIMUM_BYTES = 4 << 20;
const MAXIMUM_LABEL = 300;
const MAXIMUM_LABELS = 200_000;

export interface FoundLabels {
  readonly labels: LabelsInfo | null;
  readonly problems: readonly Problem[];
}

/**
 * Class names that lie with a model: Hugging Face `id2label`, Ultralytics `names` and `class_names` in the metadata, labels files. The first
 * that fits the class axis of an output is taken; one that does not fit is a problem.
 */
export function findLabels(
  metadata: ReadonlyMap<string, string>,
  outputs: readonly ValueInfo[],
  sidecars: Sidecars,
): FoundLabels {
  const axes = classAxes(outputs);
  const problems: Problem[] = [];
  const candidates = [
    ...['names', 'class_names', 'classes', 'labels'].map(key => ({
      names: namesFromText(metadata.get(key) ?? ''),
      from: `metadata: ${key}`,
      subject: 'metadata',
    })),
    ...sidecars.files
      .filter(file => !file.name.endsWith('.layerlens.json'))
      .map(file => ({
        names: parseLabels(file.text, file.name),
        from: file.name,
        subject: file.name,
      })),
  ];
  for (const { names, from, subject } of candidates) {
    if (!names) continue;
    const labels = fit(names, from, axes);
    if (labels) return { labels, problems };
    problems.push(warning(`${mismatch(from, names.length, axes)} They are not used.`, subject));
  }
  return { labels: null, problems };
}

/** Labels from a file that a person chose. Throws `badLabels` where it holds none or their number does not fit the class axis. */
export async function readLabels(file: string, outputs: readonly ValueInfo[]): Promise<LabelsInfo> {
  const name = path.basename(file);
  const names = parseLabels(await readText(file, MAXIMUM_BYTES), name);
  if (!names)
    throw new UserError(
      'badLabels',
      `${name} holds no labels: give one name a line, or JSON with id2label.`,
    );
  const axes = classAxes(outputs);
  const labels = fit(names, name, axes);
  if (!labels)
    throw new UserError(
      'badLabels',
      `${mismatch(name, names.length, axes)} Choose the labels of this model.`,
    );
  return labels;
}

function mismatch(from: string, count: number, axes: readonly ClassAxis[]): string {
  const scores = axes.filter(axis => axis.kind === 'scores');
  const sizes = (scores.length > 0 ? scores : axes).map(axis => `${axis.output}: ${axis.classes}`);
  return `${from} has ${count} labels, but the model has another number of classes (${[...new Set(sizes)].slice(0, 4).join(', ')}).`;
}

/** The names as the class axis counts them; TensorFlow's background class is put in front or taken away. Null where the number does not fit. */
function fit(
  names: readonly string[],
  from: string,
  axes: readonly ClassAxis[],
): LabelsInfo | null {
  const fits = (count: number): boolean =>
    axes.length === 0 || axes.some(axis => axis.classes === count);
  if (fits(names.length)) return { names, from };
  if (names.length === 1000 && fits(1001))
    return {
      names: ['background', ...names],
      from: `${from} (class 0 is TensorFlow's background)`,
    };
  if (names.length === 1001 && fits(1000) && /^(background|dummy|nothing)$/i.test(names[0] ?? ''))
    return { names: names.slice(1), from: `${from} (without its background class)` };
  return null;
}

/** Class names of a file by its kind: JSON, YAML (`names`) or one name a line. Null where it holds none. */
export function parseLabels(text: string, name: string): readonly string[] | null {
  const base = path.posix.basename(name).toLowerCase();
  if (base.endsWith('.json')) return namesFromJson(parseJson(text), base);
  if (/\.ya?ml$/.test(base)) return namesFromYaml(text);
  return base.endsWith('.txt') || base.endsWith('.names') || base.endsWith('.csv')
    ? namesFromLines(text)
    : null;
}

const clean = (names: readonly unknown[]): readonly string[] | null => {
  const texts = names.map(name => String(name).trim().slice(0, MAXIMUM_LABEL));
  const usable = names.every(name => typeof name === 'string' || typeof name === 'number');
  return usable && texts.length > 0 && texts.length <= MAXIMUM_LABELS ? texts : null;
};

function namesFromJson(json: unknown, base: string): readonly string[] | null {
  if (Array.isArray(json)) return clean(json);
  if (!isObject(json)) return null;
  for (const key of ['id2label', 'labels', 'names', 'classes', 'class_names']) {
    const value = json[key];
    if (Array.isArray(value)) return clean(value);
    if (isObject(value)) return namesByIndex(Object.entries(value));
  }
  // A plain `{"0": "cat"}` or `{"cat": 0}`; other JSON files are something else.
  return /label|class|names/.test(base) ? namesByIndex(Object.entries(json)) : null;
}

/** `index → name` or `name → index`, all indices from 0 on, each once. ImageNet's `index → [wnid, name]` too. */
function namesByIndex(entries: readonly (readonly [string, unknown])[]): readonly string[] | null {
  if (entries.length === 0 || entries.length > MAXIMUM_LABELS) return null;
  const names = new Array<unknown>(entries.length).fill(undefined);
  for (const [key, value] of entries) {
    const byIndex = /^\d+$/.test(key);
    const index = byIndex ? Number(key) : value;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= names.length)
      return null;
    names[index] = byIndex ? (Array.isArray(value) ? value.at(-1) : value) : key;
  }
  return clean(names);
}

/** A Python or JSON literal: a list or a dict of names. */
function namesFromText(text: string): readonly string[] | null {
  if (text === '') return null;
  const json = parseJson(text);
  if (Array.isArray(json)) return clean(json);
  if (isObject(json)) return namesByIndex(Object.entries(json));
  const value = parsePythonLiteral(text);
  if (value instanceof Map) return namesByIndex([...value]);
  if (Array.isArray(value)) return clean(value);
  return /^[^{}[\]]+,[^{}[\]]+$/.test(text) ? clean(text.split(',')) : null;
}

/** The `names` of a YOLO data.yaml: a flow list or map, or a block of `- name` or `0: name`. */
function namesFromYaml(text: string): readonly string[] | null {
  const lines = text.split(/\r?\n/).map(line => line.replace(/\s#.*$/, ''));
  const start = lines.findIndex(line => /^names\s*:/.test(line));
  if (start < 0) return null;
  const inline = (lines[start] ?? '').replace(/^names\s*:/, '').trim();
  if (inline !== '') {
    const rest = lines.slice(start + 1);
    const end = rest.findIndex(line => /^\S/.test(line) && !/^[\]}]/.test(line));
    return namesFromFlow([inline, ...rest.slice(0, end < 0 ? rest.length : end)].join(' ').trim());
  }
  const listed: string[] = [];
  const indexed: [string, string][] = [];
  for (const line of lines.slice(start + 1)) {
    if (line.trim() === '') continue;
    const item = /^\s*-\s+(.+)$/.exec(line)?.[1];
    const pair = /^\s+(\d+)\s*:\s*(.+)$/.exec(line);
    if (item !== undefined) listed.push(unquote(item));
    else if (pair) indexed.push([pair[1] ?? '', unquote(pair[2] ?? '')]);
    else break;
  }
  return listed.length > 0 ? clean(listed) : namesByIndex(indexed);
}

const unquote = (text: string): string => text.trim().replace(/^(['"])(.*)\1$/, '$2');

function namesFromFlow(text: string): readonly string[] | null {
  const quoted = namesFromText(text);
  if (quoted) return quoted;
  const inner = /^[[{](.*)[\]}]$/.exec(text)?.[1];
  if (inner === undefined) return null;
  const items = inner
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '');
  if (text.startsWith('[')) return clean(items.map(unquote));
  return namesByIndex(
    items.map(item => {
      const [key = '', ...value] = item.split(':');
      return [key.trim(), unquote(value.join(':'))] as const;
    }),
  );
}

/** One name a line; `index,name`, `index: name`, `index name` and `n01440764 name` are understood where every line has that form. */
function namesFromLines(text: string): readonly string[] | null {
  const lines = text
    .replace(/\s+$/, '')
    .split(/\r?\n/)
    .map(line => line.trim());
  if (lines.length > MAXIMUM_LABELS || lines.every(line => line === '')) return null;
  const numbered = lines.map(line => /^(\d+)\s*[,:;\t ]\s*(.+)$/.exec(line));
  const first = Number(numbered[0]?.[1]);
  if (
    (first === 0 || first === 1) &&
    numbered.every((match, i) => Number(match?.[1]) === i + first)
  )
    return clean(numbered.map(match => match?.[2] ?? ''));
  const synsets = lines.map(line => /^n\d{8}\s+(.+)$/.exec(line)?.[1]);
  if (synsets.every(name => name !== undefined)) return clean(synsets);
  return clean(lines);
}
