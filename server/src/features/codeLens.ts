import { CodeLensRefreshRequest, type CodeLens } from 'vscode-languageserver/node';
import { lensFacts } from '../../../protocol/layerFacts';
import { pythonAttributeAssignments } from '../source/pythonNames';
import type { ServerContext } from '../serverContext';
import type { Feature } from './feature';
import { hintsAtNetwork, isParsed, targetOf, treeOf } from './sourceLayers';

const MAXIMUM_LENSES = 200;

/** A quiet line above each `self.layer = …` whose name is a layer of the model: `Visualize Layer · 64 filters 7×7 · out 64×112×112`. */
export const codeLens = (context: ServerContext): Feature => ({
  capabilities: { codeLensProvider: { resolveProvider: false } },
  register: connection => {
    const refresh = (): void =>
      void connection.sendRequest(CodeLensRefreshRequest.type).catch(() => undefined);
    context.active.onChanged(refresh);
    context.models.onChanged(refresh);
    connection.onCodeLens(async ({ textDocument }, token) => {
      const document = context.documents.get(textDocument.uri);
      if (
        !document ||
        !context.settings().codeLens.enabled ||
        !isParsed(document) ||
        !hintsAtNetwork(document.getText())
      )
        return [];
      const lenses: CodeLens[] = [];
      for (const name of pythonAttributeAssignments(treeOf(document), document.getText()).slice(
        0,
        MAXIMUM_LENSES,
      )) {
        if (token.isCancellationRequested) return [];
        const target = await targetOf(context, document, name);
        if (!target) continue;
        lenses.push({
          range: target.range,
          command: {
            title: `Visualize Layer · ${lensFacts(target.weightLayer ?? target.layer, target.layer)}`,
            command: 'layerLens.visualizeLayer',
            arguments: [target.model, (target.weightLayer ?? target.layer).id],
          },
        });
      }
      return lenses;
    });
  },
});
