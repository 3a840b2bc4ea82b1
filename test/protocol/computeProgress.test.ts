import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CancellationTokenSource } from 'vscode-languageserver/node';
import { unpackBinary } from '../../protocol/binary';
import type { ComputeParams, ServerNotifications } from '../../protocol/server';
import { ServerProcess, until } from './serverProcess';

type Told = ServerNotifications['layerLens/computeProgress'];

describe('progress of a long method', () => {
  let server: ServerProcess;
  const told: Told[] = [];
  beforeAll(async () => {
    server = await ServerProcess.start();
    server.connection.onNotification(
      'layerLens/computeProgress',
      (progress: Told) => void told.push(progress),
    );
    await server.request('layerLens/getActive', null);
  });
  afterAll(() => server.stop());

  const integrated = (steps: number, progress?: number): ComputeParams => ({
    method: 'explain',
    params: {
      model: server.path('models/shapes_cnn.onnx'),
      input: server.path('images/star.png'),
      method: 'integrated-gradients',
      layers: [],
      target: { kind: 'top' },
      options: { steps },
      want: 'map',
    },
    priority: 'view',
    ...(progress === undefined ? {} : { progress }),
  });
  const of = (progress: number): readonly Told[] => told.filter(each => each.progress === progress);

  it('comes under the number that the asker chose, with results so far', async () => {
    await server.request('layerLens/compute', integrated(300, 7));
    const fractions = of(7).map(({ fraction }) => fraction ?? 0);
    expect(fractions.length).toBeGreaterThan(1);
    expect([...fractions].sort((a, b) => a - b)).toEqual(fractions);
    const [first] = of(7).flatMap(({ partial }) => (partial ? [partial] : []));
    const result = unpackBinary(first, text => Buffer.from(text, 'base64'));
    expect(result).toMatchObject({ method: 'integrated-gradients', rows: 96, columns: 96 });
    expect(result).toHaveProperty('map', expect.any(Float32Array));
    expect(told.every(({ progress }) => progress === 7)).toBe(true);
  });

  it('does not come to those who gave no number', async () => {
    const before = told.length;
    await server.request('layerLens/compute', integrated(100));
    expect(told).toHaveLength(before);
  });

  it('ends when the method is stopped', async () => {
    const stop = new CancellationTokenSource();
    const answer = server.connection.sendRequest(
      'layerLens/compute',
      integrated(5000, 8),
      stop.token,
    );
    const ended = answer.then(
      () => 'whole',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    await until(() => of(8).some(({ partial }) => partial), 'a result so far');
    stop.cancel();
    expect(await ended).toBe('Cancelled.');
    const after = of(8).length;
    await server.request('layerLens/compute', integrated(20));
    expect(of(8)).toHaveLength(after);
  });
});
