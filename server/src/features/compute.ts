import path from 'node:path';
import { packBinary } from '../../../protocol/binary';
import { UserError } from '../../../protocol/errors';
import type { MethodApi, ModelFeeds } from '../../../protocol/methods';
import type { ModelDescription } from '../../../protocol/model';
import type { CallOptions, Progress } from '../../../protocol/rpc';
import type { ComputeParams, ViewMethod, ViewParams } from '../../../protocol/server';
import type { ServerContext } from '../serverContext';
import { feedsFor } from '../workspace/feeds';
import { withWorkspaceTokenizer } from '../workspace/tokenizer';
import type { Feature } from './feature';
import { onRequest } from './request';

const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Progress without a result that comes sooner after the one before is left out; methods pace their results themselves. */
const PROGRESS_MS = 100;

/** Methods on behalf of a view: the server adds what is fed, the engine computes, numbers leave as bytes. */
export const compute = (context: ServerContext): Feature => ({
  capabilities: {},
  register: connection =>
    onRequest(connection, 'layerLens/compute', async (request, signal) => {
      const { priority, progress: id } = request;
      const tell = ({ fraction, message, partial }: Progress): void =>
        void connection.sendNotification('layerLens/computeProgress', {
          progress: id,
          fraction,
          message,
          partial: packBinary(partial, toBase64),
        });
      const onProgress = id === undefined ? {} : { onProgress: paced(tell, PROGRESS_MS) };
      const result = await run(context, request, { signal, priority, ...onProgress });
      return packBinary(result, toBase64);
    }),
});

async function run<M extends ViewMethod>(
  context: ServerContext,
  request: ComputeParams<M>,
  options: CallOptions & { readonly signal: AbortSignal },
): Promise<MethodApi[M]['result']> {
  const described = (await context.models.describe(request.params.model)).description;
  const description =
    request.method === 'attention'
      ? await withWorkspaceTokenizer(described, context.active.roots, options.signal)
      : described;
  const complete: Completion<M> = COMPLETIONS[request.method];
  return context.compute(request.method, complete(request.params, description), options);
}

/** Passes a progress on that carries a result so far, others only when none was passed on for `ms`. */
function paced(tell: (progress: Progress) => void, ms: number): (progress: Progress) => void {
  let last = Number.NEGATIVE_INFINITY;
  return progress => {
    const now = performance.now();
    if (now - last < ms && !progress.partial) return;
    last = now;
    tell(progress);
  };
}

/** A view's parameters → the method's: `input` becomes the feeds of the model, a picture gets its preprocessing. */
type Completion<M extends ViewMethod> = (
  params: ViewParams<M>,
  description: ModelDescription,
) => MethodApi[M]['params'];

const withFeeds = <P extends { readonly input: string | null }>(
  { input, ...params }: P,
  description: ModelDescription,
): Omit<P, 'input'> & { readonly feeds: ModelFeeds } => {
  if (input === null)
    throw new UserError(
      'inputNeeded',
      `${path.basename(description.path)} needs an input: choose a picture or an .npy file.`,
      {
        title: 'Choose Input…',
        command: 'layerLens.chooseInput',
      },
    );
  return { ...params, feeds: feedsFor(description, input) };
};

const COMPLETIONS: { readonly [M in ViewMethod]: Completion<M> } = {
  filters: params => params,
  weights: params => params,
  featureMaps: withFeeds,
  featureMapTiles: withFeeds,
  channel: withFeeds,
  probe: withFeeds,
  recompute: withFeeds,
  activationHeatmap: withFeeds,
  layerStrengths: withFeeds,
  predict: withFeeds,
  explain: withFeeds,
  layerHeatmaps: withFeeds,
  renderHeatmap: withFeeds,
  attributionTargets: withFeeds,
  attention: (params, description) => ({
    ...withFeeds(params, description),
    ...(description.tokenizer === null ? {} : { tokenizer: description.tokenizer }),
  }),
  attentionMatrices: withFeeds,
  attentionToken: withFeeds,
  attentionMap: withFeeds,
  headAblation: withFeeds,
  picture: (params, description) => ({
    ...params,
    preprocessing: description.preprocessing[0] ?? null,
  }),
  renderGrid: ({ input, ...params }, description) => ({
    ...params,
    feeds: params.what === 'filters' || input === null ? null : feedsFor(description, input),
  }),
};
