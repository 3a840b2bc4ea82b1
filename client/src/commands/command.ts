/** A command of the extension: what package.json calls it, and what it does. What it throws is shown as one message. */
export interface Command {
  readonly id: string;
  run(...args: readonly unknown[]): Promise<void>;
}
