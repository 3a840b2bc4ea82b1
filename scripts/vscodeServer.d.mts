/** The Node binary and the server-main.js that it runs. */
export interface VsCodeServer {
  readonly node: string;
  readonly server: string;
}

export interface RunningServer {
  readonly port: number;
  readonly origin: string;
  readonly exited: Promise<number | null>;
  /** Everything that the server started and that still lives, itself included. */
  processes(): { readonly pid: number; readonly command: string }[];
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly dataDir: string;
  readonly extensionsDir: string;
  readonly port?: number;
  readonly tokenFile?: string;
  readonly trust: boolean;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export function ensureVsCodeServer(): Promise<VsCodeServer>;
export function seedSettings(
  userFolder: string,
  settings?: Readonly<Record<string, unknown>>,
): void;
export function installExtension(
  vscode: VsCodeServer,
  options: { readonly dataDir: string; readonly extensionsDir: string; readonly vsix: string },
): Promise<void>;
export function startServer(vscode: VsCodeServer, options: StartOptions): Promise<RunningServer>;
