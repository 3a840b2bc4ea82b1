import type { Connection, ServerCapabilities } from 'vscode-languageserver/node';

/** One feature of the server: what it announces and its handlers, together in one file. */
export interface Feature {
  readonly capabilities: Partial<ServerCapabilities>;
  register(connection: Connection): void;
}
