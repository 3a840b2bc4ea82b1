import { parseArgs } from 'node:util';
import { UserError } from '../../../protocol/errors';
import type { Command, OptionSpec } from './command';
import { suggestion } from './nearest';

/** The arguments of a command, checked against what it takes. */
export class ParsedArguments {
  constructor(
    private readonly positionals: readonly string[],
    private readonly values: ReadonlyMap<string, readonly string[]>,
    private readonly switches: ReadonlySet<string>,
  ) {}

  /** The word at a place that the command requires. */
  word(index: number): string {
    return this.positionals[index] ?? '';
  }

  has(name: string): boolean {
    return this.switches.has(name) || this.values.has(name);
  }

  /** All values of a repeatable option. */
  all(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  /** The value of an option, undefined where it is left out. */
  one(name: string): string | undefined {
    return this.values.get(name)?.[0];
  }

  /** @throws UserError `usage` where it is left out. */
  required(name: string): string {
    const value = this.one(name);
    if (value === undefined)
      throw new UserError('usage', `--${name} is missing; --help shows an example.`);
    return value;
  }
}

/** Options of every command. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'json',
    value: null,
    help: 'Print one JSON document on standard output and nothing else there.',
  },
  { name: 'verbose', value: null, help: 'Print the stack of an error.' },
  { name: 'help', value: null, help: 'Show this text.' },
];

/**
 * Parses the words after a command's name.
 * @throws UserError `usage` for unknown options (with the nearest known one), options without their value or given twice, and wrong
 * numbers of words.
 */
export function parseArguments(command: Command, words: readonly string[]): ParsedArguments {
  const specs = [...command.options, ...COMMON_OPTIONS];
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      specs.map(({ name, value }) => [
        name,
        { type: value === null ? ('boolean' as const) : ('string' as const), multiple: true },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals: string[] = [];
  const values = new Map<string, string[]>();
  const switches = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = specs.find(({ name }) => name === token.name);
    if (!spec) throw unknownOption(token.rawName, specs);
    if (spec.value === null) {
      if (token.value !== undefined) throw new UserError('usage', `--${spec.name} takes no value.`);
      switches.add(spec.name);
    } else addValue(values, spec, token.value);
  }
  if (!switches.has('help')) checkPositionals(command, positionals);
  return new ParsedArguments(positionals, values, switches);
}

function addValue(
  values: Map<string, string[]>,
  spec: OptionSpec,
  value: string | undefined,
): void {
  if (value === undefined || value === '')
    throw new UserError(
      'usage',
      `--${spec.name} needs a value: --${spec.name} ${spec.value ?? ''}.`,
    );
  const known = values.get(spec.name) ?? [];
  if (known.length > 0 && !spec.repeatable)
    throw new UserError('usage', `--${spec.name} is given twice; it takes one value.`);
  values.set(spec.name, [...known, value]);
}

function unknownOption(rawName: string, specs: readonly OptionSpec[]): UserError {
  const names = specs.map(({ name }) => name);
  const close = suggestion(rawName.replace(/^-+/, ''), names, '--');
  return new UserError(
    'usage',
    `There is no option ${rawName}${close || '; --help lists the options.'}`,
  );
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const { positionals } = command;
  const missing = positionals[given.length];
  if (missing !== undefined)
    throw new UserError(
      'usage',
      `${missing} is missing: layer-lens ${command.name} ${positionals.join(' ')}.`,
    );
  const extra = given[positionals.length];
  if (extra !== undefined)
    throw new UserError(
      'usage',
      `"${extra}" is one word too many for ${command.name}; quote names with spaces.`,
    );
}
