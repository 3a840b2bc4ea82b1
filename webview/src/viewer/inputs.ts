import type { PictureResult } from '../../../protocol/methods';
import type { ViewerState } from '../../../protocol/views';
import { baseName } from '../lib/format';
import type { Host } from '../lib/host';
import { Latest } from '../lib/latest';
import type { InputPicture } from '../lib/picture';
import { classLabel } from '../lib/targetWords';
import type { Shown } from './types';

/** Longer side of the picture that is asked for, in pixels. */
const PICTURE_PIXELS = 640;
const TOP = 5;

export interface InputsEvents {
  /** What the picture is now; without one, why. */
  onPicture(problem: string | null, result: PictureResult | null, label: string): void;
  onPrediction(text: string, title: string): void;
}

/** Keeps the input picture and the prediction in step with model and input; each is asked for once. */
export class Inputs {
  private readonly pictureTask = new Latest();
  private readonly predictTask = new Latest();
  private pictureKey = '';
  private predictionKey = '';

  constructor(
    private readonly host: Host<ViewerState>,
    private readonly picture: InputPicture,
    private readonly events: InputsEvents,
  ) {}

  sync({ situation, state }: Shown): void {
    // A model that cannot be read now has nothing new to show; what is shown stays.
    if (situation.error) return;
    const key = JSON.stringify([state.model, state.input, situation.revision]);
    if (key !== this.pictureKey) {
      this.pictureKey = key;
      this.showPicture({ situation, state });
    }
  }

  /** Asked for when the maps are there, so that it does not hold them up. */
  predict({ situation, state }: Shown): void {
    if (!situation.mayRun || state.input === null || this.pictureKey === this.predictionKey) return;
    this.predictionKey = this.pictureKey;
    const { model, input } = state;
    this.predictTask
      .run(signal =>
        this.host.api.call(
          'predict',
          { model, input, top: TOP },
          { signal, priority: 'background' },
        ),
      )
      .then(({ classes }) => {
        const [first] = classes ?? [];
        const words = (entry: { readonly index: number; readonly probability: number }): string =>
          `${classLabel(situation.labels, entry.index)} ${entry.probability.toFixed(2)}`;
        this.events.onPrediction(first ? words(first) : '', (classes ?? []).map(words).join('\n'));
      })
      // A model without class scores has no prediction to show; other errors show where the maps are.
      .catch(() => this.events.onPrediction('', ''));
  }

  private showPicture({ state }: Shown): void {
    this.events.onPrediction('', '');
    this.predictionKey = '';
    this.pictureTask.cancel();
    const { model, input } = state;
    if (input === null) {
      this.without('No input picture.');
      return;
    }
    if (input.endsWith('.npy')) {
      this.without('The input is an array; it has no picture.');
      return;
    }
    this.pictureTask
      .run(signal =>
        this.host.api.call(
          'picture',
          { model, path: input, input, pixels: PICTURE_PIXELS },
          { signal },
        ),
      )
      .then(async result => {
        const label = `Input ${baseName(input)}, the part that the network sees`;
        await this.picture.setPicture(result, label);
        this.events.onPicture(null, result, label);
      })
      .catch((error: unknown) =>
        this.events.onPicture(error instanceof Error ? error.message : String(error), null, ''),
      );
  }

  private without(problem: string): void {
    this.picture.clear();
    this.events.onPicture(problem, null, '');
  }
}
