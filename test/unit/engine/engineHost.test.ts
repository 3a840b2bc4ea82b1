import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PictureResult } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import type { CallOptions } from '../../../protocol/rpc';
import { EngineHost, type EngineCrash } from '../../../server/src/engine/engineHost';
import { bundleEngine, type EngineBundle } from './bundle';

const settings = { threads: 1, sessionCacheBytes: 2 ** 28, activationCacheBytes: 2 ** 27 };

let bundle: EngineBundle;
let host: EngineHost;
let crashes: EngineCrash[];

beforeAll(async () => {
  bundle = await bundleEngine('test/unit/engine/scriptedEngine.ts');
});
afterAll(() => bundle.dispose());
beforeEach(() => {
  host = new EngineHost({ enginePath: bundle.enginePath, settings, memoryLimitBytes: 0 });
  crashes = [];
  host.onCrash(crash => crashes.push(crash));
});
afterEach(() => host.dispose());

const act = (script: string, options?: CallOptions, model = 'model.onnx'): Promise<PictureResult> =>
  host.call('picture', { model, path: script, preprocessing: null, pixels: 1 }, options);

const failure = async (call: Promise<unknown>): Promise<UserError> => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`);
};

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true in 10 s');
    await sleep(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const pidOf = (): number => {
  if (host.pid === undefined) throw new Error('no engine is running');
  return host.pid;
};

describe('calls', () => {
  it('answers with bytes as bytes', async () => {
    const { png } = await act('echo');
    expect(png).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('starts no process before the first call', () => {
    expect(host.pid).toBeUndefined();
  });

  it('hands over the UserError of a method', async () => {
    const error = await failure(act('refuse'));
    expect(error).toMatchObject({ code: 'badImage', message: 'picture.png is no picture.' });
  });

  it('reports the progress of the method and nothing else', async () => {
    const fractions: (number | null)[] = [];
    await act('steps:4', { onProgress: ({ fraction }) => fractions.push(fraction) });
    expect(fractions).toEqual([0.25, 0.5, 0.75, 1]);
  });
});

describe('order', () => {
  it('takes interactive before view before background', async () => {
    await act('echo');
    const running = act('block:300');
    await sleep(100);
    const calls = [
      running,
      act('echo:a', { priority: 'background' }),
      act('echo:b', { priority: 'view' }),
      act('echo:c', { priority: 'interactive' }),
      act('echo:d', { priority: 'view' }),
    ];
    await Promise.all(calls);
    const { notes } = await act('echo:end');
    const expected = ['block:300', 'echo:c', 'echo:b', 'echo:d', 'echo:a', 'echo:end'];
    expect(notes.slice(1)).toEqual(expected);
  });

  it('lets an interactive call in between the steps of a long one', async () => {
    let steps = 0;
    const long = act('steps:50', { priority: 'view', onProgress: () => steps++ });
    await until(() => steps > 2);
    await act('echo', { priority: 'interactive' });
    expect(steps).toBeLessThan(50);
    await long;
    expect(steps).toBe(50);
  });

  it('does not let an equal call in between', async () => {
    let steps = 0;
    const long = act('steps:10', { onProgress: () => steps++ });
    await act('echo');
    expect(steps).toBe(10);
    await long;
  });
});

describe('cancelling', () => {
  it('never starts a call that is cancelled while it waits', async () => {
    const controller = new AbortController();
    const running = act('block:300');
    const waiting = failure(act('echo:never', { signal: controller.signal }));
    await sleep(50);
    controller.abort();
    expect((await waiting).code).toBe('cancelled');
    await running;
    const { notes } = await act('echo:end');
    expect(notes).toEqual(['block:300', 'echo:end']);
  });

  it('ends a call between its steps and keeps the process', async () => {
    const { width: pid } = await act('echo');
    const controller = new AbortController();
    let steps = 0;
    const long = failure(
      act('steps:1000', { signal: controller.signal, onProgress: () => steps++ }),
    );
    await until(() => steps > 1);
    controller.abort();
    expect((await long).code).toBe('cancelled');
    expect((await act('echo')).width).toBe(pid);
  });

  it('replaces a process that its run blocks, and sends what waited again', async () => {
    const controller = new AbortController();
    await act('echo');
    const pid = pidOf();
    const blocked = failure(act('block:60000', { signal: controller.signal }));
    const waiting = act('echo:after');
    await sleep(100);
    const started = Date.now();
    controller.abort();
    expect((await blocked).code).toBe('cancelled');
    expect(Date.now() - started).toBeLessThan(1000);
    const { width } = await waiting;
    expect(width).not.toBe(pid);
    expect(Date.now() - started).toBeLessThan(10_000);
    await until(() => !isAlive(pid));
    expect(crashes).toEqual([]);
  });

  it('does not disturb the running call when a waiting one is cancelled', async () => {
    const controller = new AbortController();
    const running = act('block:600');
    const waiting = failure(act('echo', { signal: controller.signal }));
    await until(() => host.pid !== undefined);
    const pid = pidOf();
    controller.abort();
    await waiting;
    expect((await running).width).toBe(pid);
  });
});

describe('an engine that dies', () => {
  it('costs one call, is told once, and the next call works', async () => {
    await act('echo');
    const running = failure(act('block:60000', {}, 'nets/squeezenet.onnx'));
    const waiting = act('echo:after');
    await sleep(100);
    process.kill(pidOf(), 'SIGKILL');
    const error = await running;
    expect(error.code).toBe('engineCrashed');
    expect(error.message).toBe(
      'The engine stopped while computing picture of squeezenet.onnx; the next request starts it again.',
    );
    expect((await waiting).notes).toEqual(['echo:after']);
    expect(crashes).toHaveLength(1);
    expect(crashes[0]).toMatchObject({ method: 'picture', reason: 'signal SIGKILL' });
  });

  it('refuses a call that ended it twice, until the file changes', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));
    const model = path.join(folder, 'bad.onnx');
    try {
      writeFileSync(model, 'a');
      expect((await failure(act('crash', {}, model))).message).toContain('starts it again');
      expect((await failure(act('crash', {}, model))).message).toContain('starts it again');
      const refused = await failure(act('crash', {}, model));
      expect(refused.message).toContain('not tried again until the file changes');
      expect(refused.action?.title).toBe('Try Again');
      expect(host.pid).toBeUndefined();
      expect(crashes).toHaveLength(1);
      writeFileSync(model, 'ab');
      expect((await act('echo', {}, model)).height).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('forgets a crash when the same request is answered', async () => {
    await failure(act('crash'));
    await act('echo');
    await failure(act('crash'));
    expect((await failure(act('crash'))).message).toContain('starts it again');
    expect(crashes).toHaveLength(2);
  });

  it('fails a call whose engine cannot start, and says so once', async () => {
    const broken = path.join(bundle.folder, 'broken.js');
    writeFileSync(broken, 'process.exit(7);');
    host.dispose();
    host = new EngineHost({ enginePath: broken, settings, memoryLimitBytes: 0 });
    host.onCrash(crash => crashes.push(crash));
    expect((await failure(act('echo'))).code).toBe('engineCrashed');
    expect((await failure(act('echo'))).code).toBe('engineCrashed');
    expect(crashes).toHaveLength(1);
    expect(crashes[0]?.reason).toBe('exit code 7');
  });
});

describe('memory', () => {
  it('ends the engine over its limit, while the run blocks it', async () => {
    host.configure({ settings, memoryLimitBytes: 300 * 2 ** 20 });
    const error = await failure(act('grow:600'));
    expect(error.code).toBe('outOfMemory');
    expect(error.message).toContain("engine's 0.3 GB of memory");
    expect(crashes).toEqual([]);
    expect((await act('echo')).notes).toEqual(['echo']);
  });

  it('replaces an idle engine that holds more than half of it', async () => {
    await act('echo');
    const pid = pidOf();
    host.configure({ settings, memoryLimitBytes: 60 * 2 ** 20 });
    await act('echo').catch(() => undefined);
    await until(() => !isAlive(pid));
  });
});

describe('ends', () => {
  it('leaves no process after dispose, even a blocked one', async () => {
    await act('echo');
    const pid = pidOf();
    const blocked = failure(act('block:60000'));
    await sleep(50);
    host.dispose();
    expect((await blocked).code).toBe('cancelled');
    await until(() => !isAlive(pid));
    expect((await failure(act('echo'))).code).toBe('cancelled');
  });

  it('ends with a parent that is killed while a run blocks it', async () => {
    const parentScript = path.join(bundle.folder, 'parent.cjs');
    writeFileSync(
      parentScript,
      `const { fork } = require('node:child_process');
const child = fork(${JSON.stringify(bundle.enginePath)}, [], {
  serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'] });
child.stdio[4].resume();
const params = { model: 'm', path: 'block:60000', preprocessing: null, pixels: 1 };
child.send({ kind: 'call', id: 1, method: 'picture', params, priority: 'view' });
child.on('message', () => process.send(child.pid));
`,
    );
    const parent = fork(parentScript, [], { execArgv: [] });
    const [pid]: unknown[] = await once(parent, 'message');
    if (typeof pid !== 'number') throw new Error('the parent did not tell the engine it started');
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });
});
