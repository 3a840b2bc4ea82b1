import type { EngineSettings } from '../../../protocol/engine';
import type { ServerSettings } from '../../../protocol/server';

/** What holds before the editor has said anything; the same defaults as in package.json. */
export const DEFAULT_SETTINGS: ServerSettings = {
  model: { path: '', exclude: [] },
  input: { path: '' },
  preprocessing: {},
  engine: { threads: 0, memoryLimitMB: 0, automaticRunLimitMB: 300 },
  hover: { enabled: true, pictures: true },
  codeLens: { enabled: true },
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Settings of the editor over the defaults; what has the wrong type keeps its default, null means "not set". */
export function mergeSettings(value: unknown): ServerSettings {
  const given = isRecord(value) ? value : {};
  return {
    model: section(DEFAULT_SETTINGS.model, given['model']),
    input: section(DEFAULT_SETTINGS.input, given['input']),
    preprocessing: withoutNulls(given['preprocessing']),
    engine: section(DEFAULT_SETTINGS.engine, given['engine']),
    hover: section(DEFAULT_SETTINGS.hover, given['hover']),
    codeLens: section(DEFAULT_SETTINGS.codeLens, given['codeLens']),
  };
}

function section<T extends object>(defaults: T, given: unknown): T {
  if (!isRecord(given)) return defaults;
  const fitting = Object.entries(defaults).filter(
    ([key, value]) =>
      typeof given[key] === typeof value && Array.isArray(given[key]) === Array.isArray(value),
  );
  return { ...defaults, ...Object.fromEntries(fitting.map(([key]) => [key, given[key]])) };
}

const withoutNulls = (given: unknown): ServerSettings['preprocessing'] =>
  isRecord(given)
    ? Object.fromEntries(
        Object.entries(given).filter(([, value]) => value !== null && value !== ''),
      )
    : {};

const MB = 1e6;

/** How the engine is told; 0 leaves a choice to it. */
export const engineOptions = (
  settings: ServerSettings,
): { settings: EngineSettings; memoryLimitBytes: number } => ({
  settings: {
    threads: settings.engine.threads,
    sessionCacheBytes: 1_500 * MB,
    activationCacheBytes: 512 * MB,
  },
  memoryLimitBytes: settings.engine.memoryLimitMB * MB,
});
