import type { ParsedArguments } from './parseArguments';

/** Where a command writes: standard output for its answer only, standard error for everything else. */
export interface Terminal {
  /** Text of the answer. */
  out(text: string): void;
  /** Warnings, progress, errors. */
  err(text: string): void;
  /** Columns of standard output where it is a terminal, else 100. */
  readonly columns: number;
  /** True where standard error is a terminal, so that a progress bar can be drawn. */
  readonly interactive: boolean;
}

/** What a command gets besides its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** The bundle of the engine process. */
  readonly enginePath: string;
  readonly version: string;
}

/** One option of a command. */
export interface OptionSpec {
  readonly name: string;
  /** What stands for the value in the help, `DIR`; null for switches. */
  readonly value: string | null;
  readonly help: string;
  readonly repeatable?: boolean;
}

/** A command of the command line: one file each, listed in commands/index.ts. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Words after the command's name: `MODEL`. */
  readonly positionals: readonly string[];
  readonly options: readonly OptionSpec[];
  readonly example: string;
  /** Gives the exit status: 0, or 1 where a check was not met. Throws UserErrors. */
  run(given: ParsedArguments, context: CommandContext): Promise<number>;
}
