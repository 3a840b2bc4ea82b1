import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerApi } from '../../protocol/server';
import { ServerProcess } from './serverProcess';

describe('models that are deleted while requests wait', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start();
  });
  afterAll(() => server.stop());

  it('each waiting request fails with one sentence, and the engine stays', async () => {
    const model = server.path('models/shapes_cnn.onnx');
    const { layers } = await server.request('layerLens/describeModel', { model });
    const compute = async (layer: number, picture: string): Promise<string> => {
      const id = layers[layer]?.id ?? '';
      const params = { model, layer: id, input: server.path(`images/${picture}`) };
      const request: ServerApi['layerLens/compute']['params'] = {
        method: 'activationHeatmap',
        params,
        priority: 'interactive',
      };
      return server.request('layerLens/compute', request).then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
    };
    expect(await compute(1, 'star.png')).toBe('');
    const waiting = ['circle.png', 'cross.png', 'dots.png', 'square.png'].map((picture, index) =>
      compute(index + 1, picture),
    );
    const folder = server.path('models');
    const files = readdirSync(folder).filter(file => file.endsWith('.onnx'));
    for (const file of files) rmSync(path.join(folder, file));
    const changes = files.map(file => ({ uri: server.uri(`models/${file}`), type: 3 }));
    await server.connection.sendNotification('workspace/didChangeWatchedFiles', { changes });
    const answers = await Promise.all([...waiting, compute(2, 'stripes.png')]);
    for (const answer of answers.filter(message => message !== ''))
      expect(answer).toMatch(/^There is no file .*shapes_cnn\.onnx\.$/);
    expect(answers.at(-1)).not.toBe('');
    expect(server.notices).toEqual([]);
  });
});
