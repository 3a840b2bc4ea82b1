import type { ServerContext } from '../serverContext';
import { keepOverrides } from '../workspace/choices';
import type { Feature } from './feature';
import { onRequest } from './request';
import { fileOf } from './sourceLayers';

/** Requests about which models and pictures there are and which are active. */
export const models = (context: ServerContext): Feature => ({
  capabilities: {},
  register: connection => {
    onRequest(connection, 'layerLens/listModels', () => context.active.listModels());
    onRequest(connection, 'layerLens/listPictures', () => context.active.listPictures());
    onRequest(
      connection,
      'layerLens/describeModel',
      async ({ model }) => (await context.models.describe(model)).description,
    );
    onRequest(connection, 'layerLens/getActive', () => context.active.current());
    onRequest(connection, 'layerLens/setActive', choice => context.active.choose(choice));
    onRequest(connection, 'layerLens/setPreprocessing', async ({ model, overrides }) => {
      await keepOverrides(model, overrides, context.storage);
      context.models.forgetModel(model);
      return null;
    });
    onRequest(connection, 'layerLens/restartEngine', async () => {
      context.restartEngine();
      return null;
    });
    connection.onNotification(
      'layerLens/modelWanted',
      ({ model }: { readonly model: string }) => void context.active.wanted.add(model),
    );
    connection.onNotification('layerLens/trustGranted', () => context.active.grantTrust());
    connection.onNotification('layerLens/documentShown', ({ uri }: { readonly uri: string }) => {
      const document = context.documents.get(uri);
      if (document) void context.active.documentShown(fileOf(uri), document.getText());
    });
    context.active.onChanged(
      state => void connection.sendNotification('layerLens/activeChanged', state),
    );
    context.models.onChanged(
      change => void connection.sendNotification('layerLens/modelChanged', change),
    );
  },
});
