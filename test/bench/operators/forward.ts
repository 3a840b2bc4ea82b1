import type * as ort from 'onnxruntime-node';
import type { Model } from '../../../server/src/onnx/graph';
import { floatsOf, runWith, sessionFor } from '../../unit/gradient/finiteDifferences';

export type Feeds = ReadonlyMap<string, ort.Tensor>;

/** Runs of a model for its float outputs. */
export class Forward {
  private constructor(
    private readonly session: ort.InferenceSession,
    private readonly targets: readonly string[],
  ) {}

  static async of(model: Model, targets: readonly string[]): Promise<Forward> {
    return new Forward(await sessionFor(model, targets), targets);
  }

  async run(feeds: Feeds): Promise<Values> {
    const result = await runWith(this.session, feeds);
    return new Values(this.targets.map(name => [name, tensorOf(result[name], name)]));
  }
}
