import type { WireError } from '../../../protocol/errors';
import { RpcClient } from '../../../protocol/rpc';
import {
  isPageCommand,
  type FromPage,
  type PageApi,
  type PageCommand,
  type ToPage,
} from '../../../protocol/views';

interface PageBridge<State> {
  postMessage(message: FromPage<State>): void;
  setState(state: State): void;
}
declare function acquireVsCodeApi<State>(): PageBridge<State>;

/** The page's end of the channel to the extension. */
export interface Host<State> {
  readonly api: RpcClient<PageApi>;
  /** Tells the extension what is shown and keeps it over a reload of the page. */
  saveState(state: State): void;
  /** Keeps what the extension itself said over a reload of the page. */
  keepState(state: State): void;
  /** Runs a command of the extension; it tells the person about a failure itself. */
  run(command: PageCommand, ...args: readonly string[]): void;
}

function isToPage<Situation>(data: unknown): data is ToPage<Situation> {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return false;
  if (data.kind === 'situation') return 'situation' in data;
  return (
    (data.kind === 'result' || data.kind === 'error' || data.kind === 'progress') && 'id' in data
  );
}

/** Opens the channel; the listener gets every situation, the first one as the answer to `ready`. */
export function connectHost<Situation, State>(
  onSituation: (situation: Situation) => void,
): Host<State> {
  const bridge = acquireVsCodeApi<State>();
  const api = new RpcClient<PageApi>(message => bridge.postMessage(message));
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (!isToPage<Situation>(event.data)) return;
    if (event.data.kind === 'situation') onSituation(event.data.situation);
    else api.receive(event.data);
  });
  bridge.postMessage({ kind: 'ready' });
  return {
    api,
    saveState(state) {
      bridge.setState(state);
      bridge.postMessage({ kind: 'state', state });
    },
    keepState: state => bridge.setState(state),
    run(command, ...args) {
      api.call('runCommand', { command, arguments: args }).catch(() => undefined);
    },
  };
}

/** Another input helps against these, whoever found them. */
const INPUT_ERRORS: ReadonlySet<string> = new Set(['badImage', 'badArray', 'inputNeeded']);

/** The button of an error: null where it has none, or one that a page may not run. */
export function errorAction<State>(
  host: Host<State>,
  error: Pick<WireError, 'action' | 'code'>,
): { readonly label: string; readonly run: () => void } | null {
  const { action } = error;
  if (!action && INPUT_ERRORS.has(error.code))
    return { label: 'Choose Input…', run: () => host.run('layerLens.chooseInput') };
  if (!action || !isPageCommand(action.command)) return null;
  const { command } = action;
  const args = (action.arguments ?? []).filter(value => typeof value === 'string');
  return { label: action.title, run: () => host.run(command, ...args) };
}
