import { toWireError, UserError, type WireError } from '../../../protocol/errors';
import type { CommandContext } from './command';
import { commands } from './commands';
import { exitStatus, EXIT } from './exitStatus';
import { commandHelp, generalHelp } from './help';
import { suggestion } from './nearest';
import { parseArguments } from './parseArguments';

/** Runs one command line and gives its exit status. Errors are one sentence on standard error. */
export async function runCommandLine(
  words: readonly string[],
  context: CommandContext,
): Promise<number> {
  try {
    return await dispatch(words, context);
  } catch (error) {
    report(
      context.signal.aborted ? { code: 'cancelled', message: 'Interrupted.' } : toWireError(error),
      words,
      context,
    );
    return context.signal.aborted ? EXIT.interrupted : exitStatus(toWireError(error).code);
  }
}

async function dispatch(words: readonly string[], context: CommandContext): Promise<number> {
  const [first, ...rest] = words;
  const { terminal, version } = context;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    terminal.out(generalHelp(commands, version));
    return EXIT.done;
  }
  if (first === '--version' || first === '-v') {
    terminal.out(`${version}\n`);
    return EXIT.done;
  }
  const command = commands.find(({ name }) => name === first);
  if (!command) {
    const names = commands.map(({ name }) => name);
    const close = suggestion(first, names, 'layer-lens ');
    throw new UserError(
      'usage',
      `There is no command "${first}"${close || `; the commands are ${names.join(', ')}.`}`,
    );
  }
  const given = parseArguments(
    command,
    rest.map(word => (word === '-h' ? '--help' : word)),
  );
  if (given.has('help')) {
    terminal.out(commandHelp(command));
    return EXIT.done;
  }
  return command.run(given, context);
}

function report(error: WireError, words: readonly string[], { terminal }: CommandContext): void {
  terminal.err(`layer-lens: ${error.message}\n`);
  if (words.includes('--verbose') && error.stack) terminal.err(`${error.stack}\n`);
}
