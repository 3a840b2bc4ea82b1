import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { marked, ServerProcess } from '../protocol/serverProcess';
import { median, type Measurement } from './measurement';

/** Layers of the ResNet-18-sized model that are visited in turn. */
const LAYERS = [
  'layer1.0.conv1',
  'layer1.1.conv2',
  'layer2.0.conv1',
  'layer3.0.conv2',
  'layer4.1.conv2',
];
const ROUNDS = 20;

const [, , model = '', resultFile = ''] = process.argv;
void measure().then(results => {
  mkdirSync(path.dirname(resultFile), { recursive: true });
  writeFileSync(resultFile, JSON.stringify(results, null, 2));
});

/** Times the language server's answers on a ResNet-18-sized model, from request to reply, the engine included. */
async function measure(): Promise<readonly Measurement[]> {
  const server = await ServerProcess.start({
    settings: { model: { path: 'models/resnet18.onnx', exclude: [] } },
  });
  try {
    copyFileSync(model, server.path('models/resnet18.onnx'));
    await server.connection.sendNotification('workspace/didChangeWatchedFiles', {
      changes: [{ uri: server.uri('models/resnet18.onnx'), type: 1 }],
    });
    await server.request('layerLens/listModels', null);
    const documents = await Promise.all(
      LAYERS.map(async (layer, index) => {
        const { text, position } = marked(`import torch\nname = "|${layer}"\n`);
        return { uri: await server.open(`visit${index}.py`, text), position };
      }),
    );
    const hover = (index: number): Promise<unknown> => {
      const { uri, position } = documents[index % documents.length] ?? {
        uri: '',
        position: { line: 0, character: 0 },
      };
      return server.connection.sendRequest('textDocument/hover', {
        textDocument: { uri },
        position,
      });
    };
    const first = await timed(() => hover(0));
    const next = median(await Promise.all([1, 2, 3, 4].map(index => timed(() => hover(index)))));
    const warm: number[] = [];
    for (let round = 0; round < ROUNDS; round++) warm.push(await timed(() => hover(round)));
    const { layers } = await server.request('layerLens/describeModel', {
      model: server.path('models/resnet18.onnx'),
    });
    const heat: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const layer =
        layers.find(({ modulePath }) => modulePath === LAYERS[round % LAYERS.length])?.id ?? '';
      const params = {
        model: server.path('models/resnet18.onnx'),
        layer,
        input: server.path('images/star.png'),
      };
      heat.push(
        await timed(() =>
          server.request('layerLens/compute', {
            method: 'activationHeatmap',
            params,
            priority: 'interactive',
          }),
        ),
      );
    }
    return [
      {
        name: 'Hover in the server, first (engine starts, model runs)',
        value: first,
        unit: 'ms',
        aim: null,
      },
      { name: '  another layer', value: next, unit: 'ms', aim: null },
      { name: '  warm', value: median(warm), unit: 'ms', aim: 50 },
      {
        name: 'Heatmap of a layer, warm, request to reply',
        value: median(heat),
        unit: 'ms',
        aim: null,
      },
      {
        name: '  memory of the language server',
        value: residentMegabytes(server.child.pid ?? 0),
        unit: 'MB',
        aim: null,
      },
    ];
  } finally {
    await server.stop();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
