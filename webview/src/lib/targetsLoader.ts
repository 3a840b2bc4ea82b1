import type { AttributionTargetsResult } from '../../../protocol/attribution';
import type { Priority, RpcClient } from '../../../protocol/rpc';
import type { PageApi } from '../../../protocol/views';
import { Latest } from './latest';

/** What can be explained of a model on an input, in a state of its file. */
export interface TargetsOf {
  readonly model: string;
  readonly input: string | null;
  readonly revision: number;
}

/** Asks for what can be explained, once for each model and input. */
export class TargetsLoader {
  targets: AttributionTargetsResult | null = null;
  private key = '';
  private readonly task = new Latest();

  constructor(
    private readonly api: RpcClient<PageApi>,
    private readonly onChanged: () => void,
  ) {}

  /** Forgets what is known of another model or input, and asks unless it did. */
  sync({ model, input, revision }: TargetsOf, priority: Priority): void {
    const key = JSON.stringify([model, input, revision]);
    if (key === this.key) return;
    this.key = key;
    this.targets = null;
    this.task
      .run(signal => this.api.call('attributionTargets', { model, input }, { signal, priority }))
      .then(targets => {
        this.targets = targets;
        this.onChanged();
      })
      // A model without targets to list is explained by the errors of its maps.
      .catch(() => undefined);
  }
}
