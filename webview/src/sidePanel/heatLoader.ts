import type { PredictedClass } from '../../../protocol/attribution';
import { CancelledError, UserError } from '../../../protocol/errors';
import type { RpcClient } from '../../../protocol/rpc';
import type { PageApi, SidePanelSituation } from '../../../protocol/views';
import { Latest } from '../lib/latest';
import { TargetsLoader } from '../lib/targetsLoader';
import type { KnownTargets } from '../lib/targetWords';
import {
  activationStandsIn,
  explainAtCaret,
  insteadText,
  panelTarget,
  type Heat,
} from './heatModel';
import { aheadKey } from './model';

/** Asks for heatmaps, and when one is there, for what the next will need. */
export class HeatLoader {
  private readonly targets: TargetsLoader;
  private readonly aheadTask = new Latest();
  private askedAhead: string | null = null;
  /** The five highest classes on a picture. */
  private predicted: { readonly of: string; readonly classes: readonly PredictedClass[] } | null =
    null;

  /** @param onKnown more is known of what can be explained */
  constructor(
    private readonly api: RpcClient<PageApi>,
    onKnown: () => void,
  ) {
    this.targets = new TargetsLoader(api, onKnown);
  }

  /** What can be explained, as far as it is known. */
  known(situation: SidePanelSituation): KnownTargets {
    const { targets } = this.targets;
    const predicted = this.predicted?.of === pictureOf(situation) ? this.predicted.classes : null;
    return {
      labels: situation.labels,
      targets,
      predicted: predicted ?? targets?.predicted ?? null,
    };
  }

  /** The map of a layer; where it cannot be had, how strongly the layer answers, and why that. */
  async load(situation: SidePanelSituation, layer: string, signal: AbortSignal): Promise<Heat> {
    const { model, input, state } = situation;
    if (model === null) throw new CancelledError();
    const options = { signal, priority: 'interactive' } as const;
    const params = explainAtCaret(state, model, layer, input);
    let instead: string | null = null;
    if (params)
      try {
        const result = await this.api.call('explain', params, options);
        if (result.predicted)
          this.predicted = { of: pictureOf(situation), classes: result.predicted };
        return { kind: 'explained', result };
      } catch (error) {
        if (!(error instanceof UserError) || !activationStandsIn(error.code)) throw error;
        instead = insteadText(error.code, error.message);
      }
    const result = await this.api.call('activationHeatmap', { model, layer, input }, options);
    return { kind: 'activation', result, instead };
  }

  /**
   * In the background, once there is a map: those of all other layers, so that moving the cursor is a look-up, and what the target menu
   * lists.
   */
  lookAhead(situation: SidePanelSituation): void {
    const { model, input, revision, state } = situation;
    if (model === null) return;
    this.targets.sync({ model, input, revision }, 'background');
    const key = aheadKey(situation);
    if (key === null || key === this.askedAhead) return;
    this.askedAhead = key;
    const target = panelTarget(state, situation);
    this.aheadTask
      .run(signal =>
        this.api.call(
          'layerHeatmaps',
          { model, input, target },
          { signal, priority: 'background' },
        ),
      )
      // Without it each layer is computed when the cursor comes to it.
      .catch(() => undefined);
  }
}

/** What a prediction is one of. */
const pictureOf = ({ model, input, revision }: SidePanelSituation): string =>
  JSON.stringify([model, input, revision]);
