import { OpenedModel } from '../../../server/src/engine/openModels';
import { Sessions } from '../../../server/src/engine/sessions';
import { prepare } from '../../../server/src/gradient/prepare';
import { findAttention } from '../../../server/src/onnx/attention';
import type { Tensor } from '../../../server/src/onnx/tensor';
import { median, shuffled, type Measurement } from '../measurement';
import { seededFloats } from '../onnxWriter';

/** Timed runs of each kind, after the warm-up. */
const RUNS = 15;
const WARM_UP = 2;
const SESSION_BYTES = 2 ** 30;
const SHAPE = [1, 3, 224, 224];
/** All attention maps should not cost more than this times a plain run. */
const AIM = 1.5;

/** Times the forward run of a model of pictures with and without the weights of all its attention blocks as further outputs, in random order. */
export async function measureMaps(model: string, name: string): Promise<readonly Measurement[]> {
  const opened = new OpenedModel(model);
  const sessions = new Sessions(SESSION_BYTES, 0);
  const [input] = opened.model.graph.inputs;
  if (!input) throw new Error(`${model} has no input`);
  const size = SHAPE.reduce((a, b) => a * b, 1);
  const fed: Tensor = { dtype: 'float32', shape: SHAPE, data: seededFloats(1, size, 1) };
  const feeds = new Map([[input.name, fed]]);
  const prepared = prepare(opened.model, {
    inputs: new Map([[input.name, SHAPE]]),
    conditions: new Map(),
    infer: (each, shapes) => opened.inferIn(each, shapes),
    readTensor: ref => opened.readTensor(ref),
  });
  const [found] = findAttention(prepared.model, prepared.facts, ref => opened.readTensor(ref));
  const weights = found?.blocks.flatMap(({ probabilities }) => probabilities?.tensor ?? []) ?? [];
  const plain = opened.model.graph.outputs.map(each => each.name);
  const outputs = [...plain, ...weights];
  const made = {
    key: 'weights',
    outputs,
    make: () => opened.encode(prepared.model, outputs, 'needed'),
  };
  const runs = {
    plain: () => sessions.run(opened, plain, feeds, 'whole'),
    maps: () => sessions.runMade(opened, made, feeds),
  };
  const times = { plain: [] as number[], maps: [] as number[] };
  for (let round = 0; round < WARM_UP + RUNS; round++)
    for (const kind of shuffled(['plain', 'maps'] as const, round)) {
      const { forwardMs } = await runs[kind]();
      if (round >= WARM_UP) times[kind].push(forwardMs);
    }
  sessions.dispose();
  opened.dispose();
  const plainMs = median(times.plain);
  return [
    { name: `${name}: plain forward run`, value: plainMs, unit: 'ms', aim: null },
    {
      name: `  weights of all ${weights.length} blocks, ratio`,
      value: median(times.maps) / plainMs,
      unit: '×',
      aim: AIM,
    },
  ];
}
