import { UserError } from '../../../protocol/errors';
import type { LayerTarget } from '../../../protocol/server';
import { findLayers } from '../onnx/layerNames';
import type { ServerContext } from '../serverContext';
import type { Feature } from './feature';
import { onRequest } from './request';
import { nameAt, namesOnLine, targetOf } from './sourceLayers';

/** Requests that lead from text to a layer. */
export const layers = (context: ServerContext): Feature => ({
  capabilities: {},
  register: connection => {
    onRequest(
      connection,
      'layerLens/layerAt',
      async ({ uri, position }): Promise<LayerTarget | null> => {
        const document = context.documents.get(uri);
        if (!document) return null;
        const offset = document.offsetAt(position);
        const exact = nameAt(document, offset);
        const candidates = [...(exact ? [exact] : []), ...namesOnLine(document, offset)];
        for (const candidate of candidates) {
          const target = await targetOf(context, document, candidate);
          if (target) return target;
        }
        return null;
      },
    );
    onRequest(connection, 'layerLens/findLayer', async ({ model, name }) => {
      const wanted = model ?? (await context.active.current()).model;
      if (wanted === null)
        throw new UserError(
          'layerNotFound',
          'There is no .onnx file in this workspace yet: add one, or open the sample.',
          {
            title: 'Open Sample',
            command: 'layerLens.openSample',
          },
        );
      const { description } = await context.models.describe(wanted);
      const found = findLayers(description.layers, name);
      const [layer] = found.exact;
      if (layer) return { model: wanted, layer };
      const near = found.near.length > 0 ? ` Near: ${found.near.slice(0, 3).join(', ')}.` : '';
      throw new UserError('layerNotFound', `No layer of the model is called “${name}”.${near}`);
    });
  },
});
