import { UserError } from '../../../protocol/errors';
import type { ModelFeeds } from '../../../protocol/methods';
import type { CallContext } from '../../../protocol/rpc';
import type { MethodContext } from '../methods/method';
import type { Activations } from './activations';
import { readArrayFile, type Feeds, type FedInputs } from './feeds';
import type { OpenedModel } from './openModels';
import type { Pictures } from './pictures';
import type { JobTurn } from './queue';
import type { Tokenizers } from './tokenizers';

/** A call looks at the model's files again when this long has passed. */
const CHECK_MS = 20;

/** What a context takes its answers from. */
export interface ContextSources {
  readonly feeds: Feeds;
  readonly pictures: Pictures;
  readonly activations: Activations;
  readonly tokenizers: Tokenizers;
}

/**
 * What one call of a method is given. Before each run and each picture the call gives way to more urgent ones, and ends here where it was
 * cancelled or where the model's files changed meanwhile.
 */
export function methodContext(
  opened: OpenedModel,
  call: CallContext,
  turn: JobTurn,
  { feeds, pictures, activations, tokenizers }: ContextSources,
): MethodContext {
  let checked = -Infinity;
  const proceed = async (): Promise<void> => {
    await turn.giveWay();
    if (performance.now() - checked < CHECK_MS) return;
    checked = performance.now();
    if (opened.isCurrent()) return;
    throw new UserError(
      'brokenModel',
      `${opened.name} changed while it was being read; ask again when it is whole.`,
    );
  };
  const resolved = new Map<ModelFeeds, FedInputs>();
  const fed = async (chosen: ModelFeeds): Promise<FedInputs> => {
    await proceed();
    const known = resolved.get(chosen) ?? (await feeds.resolve(opened, chosen));
    resolved.set(chosen, known);
    return known;
  };
  return {
    model: opened.model,
    get layers() {
      return opened.layers;
    },
    signal: call.signal,
    report: progress => call.report(progress),
    readTensor: ref => opened.readTensor(ref),
    values: async (chosen, tensors, options) =>
      activations.values(opened, await fed(chosen), tensors, options?.ahead ?? false),
    fed: async chosen => (await fed(chosen)).tensors,
    feedsKey: async chosen => (await fed(chosen)).key,
    infer: (model, inputs) => opened.inferIn(model, inputs),
    runGraph: async ({ key, outputs, make }, { tensors, key: inputsKey }) => {
      await proceed();
      const made = { key, outputs, make: () => opened.encode(make(), outputs, 'needed') };
      const run = await activations.ofGraph(opened, made, tensors, inputsKey);
      const { loadMs, forwardMs } = run;
      return { tensors: run.tensors, times: { loadMs, forwardMs }, warnings: [] };
    },
    keptGraph: (key, inputsKey) => activations.keptGraph(opened, key, inputsKey),
    readArray: async path => {
      await turn.giveWay();
      return readArrayFile(path);
    },
    tokenTexts: async path => {
      await turn.giveWay();
      return tokenizers.read(path);
    },
    geometry: async chosen => (await fed(chosen)).geometry,
    decode: async path => {
      await turn.giveWay();
      return pictures.decode(path);
    },
    preprocess: async (path, spec) => {
      await turn.giveWay();
      return feeds.image(opened.input(spec.input), path, spec);
    },
  };
}
