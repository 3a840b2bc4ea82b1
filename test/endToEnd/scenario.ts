import type { Workbench } from './workbench';

export interface ScenarioOptions {
  /** Workspace trust as a person meets it: the window starts restricted. Off unless asked for. */
  readonly trust?: boolean;
  /** User settings besides the quiet ones that every run has. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Environment variables of the server and of all it starts. */
  readonly env?: Readonly<Record<string, string>>;
  /** Changes the copy of the sample workspace before the window opens. */
  readonly prepare?: (workspaceDir: string) => void | Promise<void>;
}

/** One walk through the real VS Code: a server, a browser window and a workspace of its own. */
export interface Scenario {
  readonly name: string;
  readonly options?: ScenarioOptions;
  run(t: Workbench): Promise<void>;
}
