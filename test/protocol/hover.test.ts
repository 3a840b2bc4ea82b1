import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hover, MarkupContent } from 'vscode-languageserver/node';
import { marked, ServerProcess } from './serverProcess';

const CODE = 'import torch\nmodel = load()\n';

describe('hover', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start({
      settings: { model: { path: 'models/shapes_cnn.onnx', exclude: [] } },
    });
    await server.request('layerLens/getActive', null);
  });
  afterAll(() => server.stop());

  let count = 0;
  const hoverAt = async (code: string, languageId = 'python'): Promise<string> => {
    const { text, position } = marked(code);
    const uri = await server.open(
      `hover${count++}.${languageId === 'python' ? 'py' : 'txt'}`,
      text,
      languageId,
    );
    const hover = await server.connection.sendRequest<Hover | null>('textDocument/hover', {
      textDocument: { uri },
      position,
    });
    return hover ? (hover.contents as MarkupContent).value : '';
  };

  it('says what the layer is, with pictures of filters, heatmap and maps, and two links', async () => {
    const value = await hoverAt(`${CODE}y = model.stem|.weight`);
    expect(value).toContain('**stem');
    expect(value).toMatch(/Conv 3→\d+ · \d×\d/);
    expect(value).toMatch(/out \d+×\d+×\d+/);
    expect(value.match(/data:image\/png;base64,[A-Za-z0-9+/=]+/g)).toHaveLength(3);
    expect(value).toMatch(/Grad\\-CAM of “\w+” · strongest maps [\d, ]+ on \w+\\?\.png/);
    expect(value).toContain('command:layerLens.visualizeLayer?');
    expect(value).toContain('command:layerLens.pinLayer?');
    expect(value.length).toBeLessThan(100_000);
  });

  it('knows strings, indexed modules and node names, in Python and elsewhere', async () => {
    expect(await hoverAt(`${CODE}x = model.layer2[0].conv1|`)).toContain('layer2.0.conv1');
    expect(await hoverAt(`${CODE}nodes = ["layer2.0.co|nv1"]`)).toContain('layer2.0.conv1');
    expect(await hoverAt('const name = "layer2.0.co|nv1";', 'typescript')).toContain(
      'layer2.0.conv1',
    );
    expect(await hoverAt('const name = "/layer2/layer2.0/co|nv1/Conv";', 'typescript')).toContain(
      'layer2.0.conv1',
    );
  });

  it('says what a model is where its path stands', async () => {
    const value = await hoverAt('session = InferenceSession("models/shapes_|cnn.onnx")');
    expect(value).toContain('shapes\\_cnn.onnx');
    expect(value).toMatch(/opset \d+/);
    expect(value).toContain('command:layerLens.openModel?');
  });

  it('is silent where no layer is named, and in code without a network', async () => {
    expect(await hoverAt(`${CODE}x = model.nothing_lik|e_it`)).toBe('');
    expect(await hoverAt('x = self.st|em')).toBe('');
    expect(await hoverAt(`${CODE}x = "just some wor|ds"`)).toBe('');
  });

  it('cells of a notebook are source', async () => {
    const { text, position } = marked('import torch\nw = model.layer2[0].con|v1.weight');
    const uri = `${server.uri('explore.ipynb').replace('file:', 'vscode-notebook-cell:')}#W0sZmlsZQ%3D%3D`;
    const textDocument = { uri, languageId: 'python', version: 1, text };
    await server.connection.sendNotification('textDocument/didOpen', { textDocument });
    const hover = await server.connection.sendRequest<Hover | null>('textDocument/hover', {
      textDocument: { uri },
      position,
    });
    expect((hover?.contents as MarkupContent).value).toContain('layer2.0.conv1');
  });

  it('positions count UTF-16 units', async () => {
    expect(await hoverAt(`${CODE}s = "𝒳é"; y = model.ste|m`)).toContain('**stem');
  });
});

describe('hover over a layer of a large model', () => {
  it('shows filters only, and maps after the person wanted the model to run', async () => {
    const limits = { threads: 0, memoryLimitMB: 0, automaticRunLimitMB: 0 };
    const model = { path: 'models/shapes_cnn.onnx', exclude: [] };
    const server = await ServerProcess.start({ settings: { model, engine: limits } });
    try {
      const { text, position } = marked(`${CODE}y = model.layer2[0].conv1|`);
      const uri = await server.open('large.py', text);
      const ask = async (): Promise<string> => {
        const params = { textDocument: { uri }, position };
        const hover = await server.connection.sendRequest<Hover | null>(
          'textDocument/hover',
          params,
        );
        return hover ? (hover.contents as MarkupContent).value : '';
      };
      const before = await ask();
      expect(before.match(/data:image\/png/g)).toHaveLength(1);
      expect(before).toContain('command:layerLens.loadModel?');
      const wanted = { model: server.path('models/shapes_cnn.onnx') };
      await server.connection.sendNotification('layerLens/modelWanted', wanted);
      const after = await ask();
      expect(after.match(/data:image\/png/g)).toHaveLength(3);
      expect(after).not.toContain('layerLens.loadModel');
    } finally {
      await server.stop();
    }
  });
});
