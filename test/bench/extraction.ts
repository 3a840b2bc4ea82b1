import { OpenedModel } from '../../server/src/engine/openModels';
import { Sessions } from '../../server/src/engine/sessions';
import { isReadable } from '../../server/src/methods/outputParts';
import type { Tensor } from '../../server/src/onnx/tensor';
import { median, shuffled } from './measurement';
import { seededFloats } from './onnxWriter';

/** Timed runs of each kind, after the warm-up. */
const RUNS = 25;
const WARM_UP = 3;
const SESSION_BYTES = 2 ** 30;

/** Medians of interleaved runs in one process, in ms. */
export interface ExtractionResult {
  readonly plainMs: number;
  /** The plain run with the maps of the last convolution declared as an output too. */
  readonly oneLayerMs: number;
  readonly allLayersMs: number;
  readonly residentMegabytes: number;
}

/** As the engine asks: exact values from the whole model, all layers ahead from what they need. */
const EXTENTS = { plainMs: 'whole', oneLayerMs: 'whole', allLayersMs: 'needed' } as const;

/** Times the forward run of a 1×3×224×224 model with and without the outputs of its layers, in random order. */
export async function measureExtraction(model: string): Promise<ExtractionResult> {
  const opened = new OpenedModel(model);
  const sessions = new Sessions(SESSION_BYTES, 0);
  const input: Tensor = {
    dtype: 'float32',
    shape: [1, 3, 224, 224],
    data: seededFloats(1, 3 * 224 * 224, 1),
  };
  const feeds = new Map([['input', input]]);
  const plain = opened.model.graph.outputs.map(({ name }) => name);
  const outputs = opened.layers.filter(isReadable).flatMap(layer => layer.outputs);
  const lastConv = opened.layers.filter(({ kind }) => kind === 'conv').at(-1)?.outputs[0] ?? '';
  const kinds = {
    plainMs: plain,
    oneLayerMs: [...plain, lastConv],
    allLayersMs: [...new Set([...plain, ...outputs])],
  };
  const times = {
    plainMs: [] as number[],
    oneLayerMs: [] as number[],
    allLayersMs: [] as number[],
  };
  const names = ['plainMs', 'oneLayerMs', 'allLayersMs'] as const;
  for (let round = 0; round < WARM_UP + RUNS; round++)
    for (const name of shuffled(names, round)) {
      const { forwardMs } = await sessions.run(opened, kinds[name], feeds, EXTENTS[name]);
      if (round >= WARM_UP) times[name].push(forwardMs);
    }
  const residentMegabytes = process.memoryUsage.rss() / 2 ** 20;
  sessions.dispose();
  opened.dispose();
  return {
    plainMs: median(times.plainMs),
    oneLayerMs: median(times.oneLayerMs),
    allLayersMs: median(times.allLayersMs),
    residentMegabytes,
  };
}
