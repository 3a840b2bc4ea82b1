import type { Command, OptionSpec } from './command';
import { COMMON_OPTIONS } from './parseArguments';

const INDENT = '  ';

/** Two columns, the first as wide as its widest entry. */
function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${INDENT}${name.padEnd(width)}  ${text}`).join('\n');
}

const optionRow = ({ name, value, help, repeatable }: OptionSpec): readonly [string, string] => [
  `--${name}${value === null ? '' : ` ${value}`}${repeatable ? ' …' : ''}`,
  help,
];

/** What `layer-lens` alone prints. */
export const generalHelp = (commands: readonly Command[], version: string): string =>
  [
    `layer-lens ${version}: what the layers of a vision network have learned, from its .onnx file.`,
    '',
    'Usage: layer-lens COMMAND MODEL [options]',
    '',
    table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'layer-lens COMMAND --help shows the options of a command with an example.',
    'Exit status: 0 done, 1 a check was not met, 2 the request is wrong, 3 the model cannot do this, 130 interrupted.',
    '',
  ].join('\n');

/** What `layer-lens COMMAND --help` prints. */
export const commandHelp = (command: Command): string =>
  [
    `Usage: layer-lens ${[command.name, ...command.positionals].join(' ')} [options]`,
    '',
    command.summary,
    '',
    table([...command.options, ...COMMON_OPTIONS].map(optionRow)),
    '',
    `Example: ${command.example}`,
    '',
  ].join('\n');
