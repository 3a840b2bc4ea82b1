import { UserError } from '../../../protocol/errors';

/** Longest detail of the runtime that is shown. */
const LONGEST_DETAIL = 300;

/**
 * One sentence out of what ONNX Runtime threw. The runtime's texts name C++ sources and repeat themselves; what a person can use is the
 * operator, the node, the input and the reason. `label` is the name of the model file.
 */
export function runtimeError(error: unknown, label: string): UserError {
  if (error instanceof UserError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const known = KNOWN.map(read => read(text, label)).find(found => found !== null);
  const result =
    known ?? new UserError('runtimeRefused', `ONNX Runtime cannot run ${label}: ${detail(text)}.`);
  // The stack goes to the log with what the runtime said, whole.
  result.stack = `${result.message}\n${text}`;
  return result;
}

type Reading = (text: string, label: string) => UserError | null;

const refused = (label: string, reason: string): UserError =>
  new UserError('runtimeRefused', `ONNX Runtime cannot run ${label}: ${reason}.`);

const quoted = (name: string): string => `"${plain(name)}"`;

/** In the order in which they are tried. */
const KNOWN: readonly Reading[] = [
  function memory(text, label) {
    if (!/bad_alloc|failed to allocate memory|out of memory/i.test(text)) return null;
    const bytes = /requested buffer of size (\d+)/.exec(text)?.[1];
    const size = bytes === undefined ? '' : ` of ${(Number(bytes) / 2 ** 20).toFixed(0)} MB`;
    return new UserError(
      'outOfMemory',
      `There is not enough memory for a buffer${size} that ${label} needs; use a smaller input.`,
    );
  },
  function dimensions(text, label) {
    if (!text.includes('invalid dimensions for input')) return null;
    const input = /for input: (\S+)/.exec(text)?.[1] ?? '';
    const axes = [...text.matchAll(/index: (\d+) Got: (-?\d+) Expected: (-?\d+)/g)];
    const said = axes.map(([, axis, got, expected]) => `axis ${axis} is ${got}, not ${expected}`);
    return new UserError(
      'wrongShape',
      `The input ${quoted(input)} of ${label} has the wrong shape: ${said.join(', ')}.`,
    );
  },
  function rank(text, label) {
    const found = /Invalid rank for input: (\S+) Got: (\d+) Expected: (\d+)/.exec(text);
    if (!found) return null;
    const [, input = '', got, expected] = found;
    return new UserError(
      'wrongShape',
      `The input ${quoted(input)} of ${label} has ${got} dimensions, not ${expected}.`,
    );
  },
  function type(text, label) {
    const found = /Unexpected input data type. Actual: \((\S+)\) ?, expected: \((\S+)\)/.exec(text);
    if (!found) return null;
    const [, got = '', expected = ''] = found;
    return new UserError(
      'badArray',
      `An input of ${label} was fed as ${plain(got)}, but the model takes ${plain(expected)}.`,
    );
  },
  function unregistered(text, label) {
    const operator = /error: (\S+?)\(-?\d+\) is not a registered function\/op/i.exec(text)?.[1];
    const missing = operator ?? /No Op registered for (\S+)/.exec(text)?.[1];
    return missing === undefined ? null : refused(label, `it has no operator ${quoted(missing)}`);
  },
  function notImplemented(text, label) {
    const found =
      /Could not find an implementation for (\S+?)(?:\(\d+\))? node with name '(.*?)'/.exec(text);
    if (!found) return null;
    const [, operator = '', node = ''] = found;
    const where = node === '' ? '' : ` of the node ${quoted(node)}`;
    return refused(
      label,
      `it cannot compute the operator ${quoted(operator)}${where} with these types`,
    );
  },
  function failedNode(text, label) {
    const found = /while running (\S+) node\. Name:'(.*?)' Status Message: ([\s\S]*)/.exec(text);
    if (!found) return null;
    const [, operator = '', node = '', reason = ''] = found;
    return refused(
      label,
      `the ${plain(operator)} node ${quoted(node)} failed with ${quoted(detail(reason))}`,
    );
  },
  function dataType(text, label) {
    const code = /^Unsupported data type: (\d+)/.exec(text)?.[1];
    if (code === undefined) return null;
    return new UserError(
      'unsupported',
      `A tensor of ${label} has ONNX element type ${code}, which ONNX Runtime cannot hand over here.`,
    );
  },
];

/** The last part of the runtime's text, without its sources and line breaks, as part of a sentence. */
function detail(text: string): string {
  const short = plain(text)
    .replace(/\S*\.(?:cc|h|cpp):\d+\s*/g, '')
    .replace(/(?:\S+::)+\S*\([^)]*\)\s*/g, '')
    .replace(/^(?:Load model from .*? failed:|Exception during initialization:|Error:)\s*/i, '')
    .replace(/[\s.]+$/, '')
    .trim();
  return short.length > LONGEST_DETAIL ? `${short.slice(0, LONGEST_DETAIL)}…` : short;
}

/** On one line, without control characters. */
const plain = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
