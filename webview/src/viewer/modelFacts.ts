import type { ModelDescription } from '../../../protocol/model';
import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import type { ViewerState } from '../../../protocol/views';
import type { Host } from '../lib/host';
import type { Shown } from './types';

/** What is in the model's file, asked for when the details or an export need it. */
export class ModelFacts {
  private asked: { readonly key: string; readonly description: Promise<ModelDescription> } | null =
    null;

  constructor(private readonly host: Host<ViewerState>) {}

  /** How the input is fed; empty without one. Asked for once for each state of the file. */
  async preprocessing({ situation, state }: Shown): Promise<readonly PreprocessingSpec[]> {
    if (state.input === null) return [];
    const key = `${state.model} ${situation.revision}`;
    if (this.asked?.key !== key) {
      const description = this.host.api.call('describeModel', { model: state.model });
      description.catch(() => {
        this.asked = null;
      });
      this.asked = { key, description };
    }
    return (await this.asked.description).preprocessing;
  }
}
