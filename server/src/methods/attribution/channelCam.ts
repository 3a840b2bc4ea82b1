import type { AttributionMethod } from '../../../../protocol/attribution';
import type { Tensor } from '../../onnx/tensor';
import type { Attribution, AttributionRequest, Attributor, LayerMap } from './attributor';
import { channelMaps, channelsUsed, strongestChannels } from './channelChoice';
import { fixedTarget } from './fixedTarget';
import type { LayerGrid } from './layerGrid';
import { inUnits, unitsOf, type LayerUnits } from './layerUnits';

/** A layer whose channels are tried one after the other. */
export interface TriedLayer {
  readonly grid: LayerGrid;
  readonly activation: Tensor;
  readonly units: LayerUnits;
  /** The activation, in its units, as [images, channels, positions]. */
  readonly planes: Float32Array;
}

/** How a method weights the channels of a layer by runs of the model. */
export interface ChannelTrial {
  /** Gives the run that tries one channel of each image: the target tensor of it. */
  prepare(
    request: AttributionRequest,
    layer: TriedLayer,
  ): Promise<(channels: readonly number[]) => Promise<Tensor>>;
  /** The channels' weights for one image from its scores, and from its score for the input as it is fed. */
  weights(scores: readonly number[], whole: number): readonly number[];
}

/** A class activation map whose channel weights come from one run for each channel. */
export const channelCam = (name: AttributionMethod, trial: ChannelTrial): Attributor => ({
  name,
  async attribute(request) {
    const { derivatives, grids, options } = request;
    const used = channelsUsed(options);
    const fixed = await fixedTarget(request);
    const activations = await derivatives.values(grids.map(grid => grid.tensor));
    const done: LayerMap[] = [];
    const attributionOf = (maps: readonly LayerMap[]): Attribution => ({
      kind: 'layer',
      maps,
      value: fixed.value,
      options: { 'channels-used': used },
    });
    for (const [index, grid] of grids.entries()) {
      const activation = activations.get(grid.tensor);
      if (!activation) throw new Error(`the run gave no ${grid.tensor}`);
      const units = unitsOf(derivatives, request.context, grid.tensor);
      const planes = inUnits(grid.planes(activation), units);
      const chosen = strongestChannels(grid, planes, used);
      const scores: number[][] = chosen.map(() => []);
      const mapOf = (): LayerMap => {
        const weights = scores.map((of, image) => trial.weights(of, fixed.scores[image] ?? 0));
        return { grid, values: channelMaps(grid, planes, chosen, weights) };
      };
      const run = await trial.prepare(request, { grid, activation, units, planes });
      const runs = chosen[0]?.length ?? 0;
      for (let rank = 0; rank < runs; rank++) {
        const value = await run(chosen.map(ranked => ranked[rank] ?? 0));
        fixed.scoresOf(value).forEach((score, image) => scores[image]?.push(score));
        request.report(
          (index + (rank + 1) / runs) / grids.length,
          `${rank + 1} of ${runs} channels`,
          () => attributionOf([...done, mapOf()]),
        );
      }
      done.push(mapOf());
    }
    return attributionOf(done);
  },
});
