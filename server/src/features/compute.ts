import path from 'node:path';
import { packBinary } from '../../../protocol/binary';
import { UserError } from '../../../protocol/errors';
import type { MethodApi, ModelFeeds } from '../../../protocol/methods';
import type { ModelDescription } from '../../../protocol/model';
import type { ComputeParams, ViewMethod, ViewParams } from '../../../protocol/server';
import type { ServerContext } from '../serverContext';
import { feedsFor } from '../workspace/feeds';
import type { Feature } from './feature';
import { onRequest } from './request';

const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Methods on behalf of a view: the server adds what is fed, the engine computes, numbers leave as bytes. */
export const compute = (context: ServerContext): Feature => ({
  capabilities: {},
  register: connection =>
    onRequest(connection, 'layerLens/compute', async (request, signal) =>
      packBinary(await run(context, request, signal), toBase64),
    ),
});

async function run<M extends ViewMethod>(
  context: ServerContext,
  request: ComputeParams<M>,
  signal: AbortSignal,
): Promise<MethodApi[M]['result']> {
  const { description } = await context.models.describe(request.params.model);
  const complete: Completion<M> = COMPLETIONS[request.method];
  return context.compute(request.method, complete(request.params, description), {
    signal,
    priority: request.priority,
  });
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
  attributionTargets: withFeeds,
  picture: (params, description) => ({
    ...params,
    preprocessing: description.preprocessing[0] ?? null,
  }),
  renderGrid: ({ input, ...params }, description) => ({
    ...params,
    feeds: params.what === 'filters' || input === null ? null : feedsFor(description, input),
  }),
};
