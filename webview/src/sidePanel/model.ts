import { layerFacts } from '../../../protocol/layerFacts';
import type { PageCommand, SidePanelSituation } from '../../../protocol/views';
import { panelMethod, panelTarget } from './heatModel';
import type { PanelWords } from './types';

/** What stands in the way of a heatmap: a sentence and the commands that help, with their arguments. */
export interface Obstacle {
  readonly text: string;
  readonly commands: readonly {
    readonly label: string;
    readonly command: PageCommand;
    readonly arguments: readonly string[];
  }[];
}

const command = (label: string, name: PageCommand, ...args: readonly string[]) => ({
  label,
  command: name,
  arguments: args,
});

/** Null where everything is there to ask for a heatmap. The first thing that is missing comes first. */
export function obstacleOf(situation: SidePanelSituation): Obstacle | null {
  const { model, layer, input, mayRun, needsLoad, error, modelLabel } = situation;
  if (error) return null;
  if (model === null)
    return {
      text: 'No .onnx model in this workspace.',
      commands: [
        command('Open Sample', 'layerLens.openSample'),
        command('Choose Model…', 'layerLens.chooseModel'),
        command('How to Export', 'layerLens.howToExport'),
      ],
    };
  if (!mayRun)
    return {
      text: 'Running models waits for workspace trust.',
      commands: [command('Manage Trust', 'layerLens.manageTrust')],
    };
  if (input === null)
    return {
      text: 'No picture to look at.',
      commands: [command('Choose Input…', 'layerLens.chooseInput')],
    };
  if (layer === null) return { text: 'Put the cursor on a layer.', commands: [] };
  if (needsLoad)
    return {
      text: `${modelLabel ?? 'The model'} is large and is not run by itself.`,
      commands: [command('Load Model', 'layerLens.loadModel', model)],
    };
  return null;
}

/** The heatmap is asked for again when one of these changes; null where none can be asked for. */
export function heatKey(situation: SidePanelSituation): string | null {
  const { model, layer, input, revision, state, error } = situation;
  if (error || obstacleOf(situation) || !layer) return null;
  const method = panelMethod(state);
  const target = method === 'activation' ? null : panelTarget(state, situation);
  return JSON.stringify([model, layer.id, input, revision, method, target]);
}

/** What the look-ups of all layers belong to: they are made once for each of these; null where none are needed. */
export function aheadKey(situation: SidePanelSituation): string | null {
  const { model, input, revision, state } = situation;
  if (heatKey(situation) === null || panelMethod(state) !== 'grad-cam') return null;
  return JSON.stringify([model, input, revision, panelTarget(state, situation)]);
}

/** The picture is asked for again when one of these changes; null where none can be asked for. */
export function pictureKey(situation: SidePanelSituation): string | null {
  const { model, input, revision } = situation;
  if (model === null || input === null || input.endsWith('.npy')) return null;
  return JSON.stringify([model, input, revision]);
}

export function panelWords(situation: SidePanelSituation): PanelWords {
  const { layer, layerLabel, inputLabel, modelLabel, state } = situation;
  const { pinned, opacity, colorMap } = state;
  return {
    name: layerLabel ?? '',
    facts: layer ? layerFacts(layer) : '',
    input: inputLabel ?? 'Choose Input…',
    model: modelLabel,
    ...{ pinned, opacity, colorMap },
  };
}
