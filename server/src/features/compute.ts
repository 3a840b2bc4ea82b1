import { packBinary } from '../../../protocol/binary';
import type { MethodApi, ModelFeeds } from '../../../protocol/methods';
import type { ComputeParams } from '../../../protocol/server';
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
      packBinary(
        await context.compute(request.method, await withFeeds(context, request), {
          signal,
          priority: request.priority,
        }),
        toBase64,
      ),
    ),
});

/** Completes a view's parameters: `input` becomes the feeds of the model, a picture gets its preprocessing. */
async function withFeeds(
  context: ServerContext,
  { method, params: { input, ...params } }: ComputeParams,
): Promise<MethodApi[ComputeParams['method']]['params']> {
  const { description } = await context.models.describe(params.model);
  if (method === 'picture')
    return { ...params, preprocessing: description.preprocessing[0] ?? null };
  const feeds: ModelFeeds | null = input === null ? null : feedsFor(description, input);
  return { ...params, feeds };
}
