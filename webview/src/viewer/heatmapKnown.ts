import type { AttributionTargetsResult } from '../../../protocol/attribution';
import type { ViewerState } from '../../../protocol/views';
import type { Host } from '../lib/host';
import { Latest } from '../lib/latest';
import type { Shown } from './types';

/** What a model's targets are on an input: asked for once for each model and input. */
export class TargetsLoader {
  targets: AttributionTargetsResult | null = null;
  private key = '';
  private readonly task = new Latest();

  constructor(
    private readonly host: Host<ViewerState>,
    private readonly onChanged: () => void,
  ) {}

  sync({ situation, state }: Shown): void {
    const { model, input } = state;
    const key = JSON.stringify([model, input, situation.revision]);
    if (key === this.key) return;
    this.key = key;
    this.targets = null;
    this.task
      .run(signal =>
        this.host.api.call('attributionTargets', { model, input }, { signal, priority: 'view' }),
      )
      .then(targets => {
        this.targets = targets;
        this.onChanged();
      })
      // A model without targets to list is explained by the maps' own errors; the next change asks again.
      .catch(() => undefined);
  }
}
