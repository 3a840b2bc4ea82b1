import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { CodeLens } from 'vscode-languageserver/node';
import { unpackBinary } from '../../protocol/binary';
import { ServerProcess, until, type ServerOptions } from './serverProcess';

const unpack = (value: unknown): unknown =>
  unpackBinary(value, text => Buffer.from(text, 'base64'));
const CNN = 'models/shapes_cnn.onnx';

describe('the server process', () => {
  let server: ServerProcess | null = null;
  const start = async (options?: ServerOptions): Promise<ServerProcess> => {
    server = await ServerProcess.start(options);
    return server;
  };
  afterEach(async () => {
    await server?.stop();
    server = null;
  });

  it('announces what it does and finds model and picture by itself', async () => {
    const process = await start();
    expect(process.initialized.capabilities).toMatchObject({
      hoverProvider: true,
      positionEncoding: 'utf-16',
    });
    const active = await process.request('layerLens/getActive', null);
    expect(active.model).toMatch(/\.onnx$/);
    expect(active.picture).toMatch(/images/);
    const models = await process.request('layerLens/listModels', null);
    expect(models.map(model => model.label)).toContain(CNN);
  });

  it('lenses stand above layer definitions', async () => {
    const process = await start({ settings: { model: { path: CNN, exclude: [] } } });
    const uri = await process.open(
      'shapes_cnn.py',
      readFileSync(process.path('shapes_cnn.py'), 'utf8'),
    );
    const lenses = await process.connection.sendRequest<CodeLens[]>('textDocument/codeLens', {
      textDocument: { uri },
    });
    expect(lenses.length).toBeGreaterThan(3);
    expect(lenses[0]?.command?.title).toMatch(/^Visualize Layer · \d+ filters/);
  });

  it('an untrusted workspace shows structure and filters and runs nothing', async () => {
    const process = await start({ trusted: false });
    const model = process.path(CNN);
    const { layers } = await process.request('layerLens/describeModel', { model });
    const layer = layers.find(candidate => candidate.kind === 'conv')?.id ?? '';
    const filters = unpack(
      await process.request('layerLens/compute', {
        method: 'filters',
        params: { model, layer, first: 0, count: 4, input: null },
        priority: 'view',
      }),
    );
    expect(filters).toMatchObject({ layer, first: 0 });
    const input = process.path('images/star.png');
    const running = {
      method: 'featureMaps',
      params: { model, layer, input },
      priority: 'view',
    } as const;
    await expect(process.request('layerLens/compute', running)).rejects.toMatchObject({
      data: { code: 'untrustedWorkspace', action: { title: 'Manage Trust' } },
    });
    await process.connection.sendNotification('layerLens/trustGranted', {});
    expect(unpack(await process.request('layerLens/compute', running))).toMatchObject({
      layer,
      layout: 'NCHW',
    });
  });

  it('a model that changes on disk is read anew, and said so; one that is half written is waited for', async () => {
    const process = await start();
    const model = process.path(CNN);
    const whole = readFileSync(model);
    const other = readFileSync(process.path('models/tiny_vit.onnx'));
    const before = await process.request('layerLens/describeModel', { model });
    await process.write(CNN, other.subarray(0, other.length / 2));
    await new Promise(resolve => setTimeout(resolve, 1200));
    expect(process.changes).toEqual([]);
    await process.write(CNN, other);
    await until(() => process.changes.length === 1, 'modelChanged');
    const after = await process.request('layerLens/describeModel', { model });
    expect(after.layers.length).not.toBe(before.layers.length);
    await process.write(CNN, whole);
    await until(() => process.changes.length === 2, 'modelChanged again');
    expect((await process.request('layerLens/describeModel', { model })).layers.length).toBe(
      before.layers.length,
    );
  });

  it('a wrong name gets the nearest ones, in one sentence', async () => {
    const process = await start();
    const failed = process.request('layerLens/findLayer', {
      model: process.path(CNN),
      name: 'layer2.0.conv9',
    });
    await expect(failed).rejects.toMatchObject({
      data: {
        code: 'layerNotFound',
        message: expect.stringMatching(/^No layer .*layer2\.0\.conv9.* Near: .*\.$/),
      },
    });
  });

  it('a request that is cancelled ends as cancelled', async () => {
    const process = await start();
    const { layers } = await process.request('layerLens/describeModel', {
      model: process.path(CNN),
    });
    const layer = layers.find(candidate => candidate.kind === 'conv')?.id ?? '';
    const { CancellationTokenSource } = await import('vscode-languageserver/node');
    const source = new CancellationTokenSource();
    const params = {
      method: 'featureMaps',
      params: { model: process.path(CNN), layer, input: process.path('images/star.png') },
      priority: 'view',
    };
    const pending = process.connection.sendRequest('layerLens/compute', params, source.token);
    source.cancel();
    await expect(pending).rejects.toMatchObject({ code: -32800 });
  });
});
