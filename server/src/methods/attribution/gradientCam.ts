import type { AttributionMethod } from '../../../../protocol/attribution';
import type { Attributor, LayerMap } from './attributor';
import type { LayerGrid } from './layerGrid';
import { inUnits, slopesInUnits, unitsOf } from './layerUnits';

/** One image of a layer: activations A and gradients G of the target, both [channels, positions]. */
export interface CamLayer {
  readonly channels: number;
  readonly positions: number;
  readonly activations: Float32Array;
  readonly gradients: Float32Array;
}

/** The map of one image, [positions]. */
export type CamFormula = (layer: CamLayer) => Float64Array;

/** A class activation map that needs the activations of a layer and their gradients: from one run of the part behind the layers. */
export const gradientCam = (name: AttributionMethod, formula: CamFormula): Attributor => ({
  name,
  async attribute({ derivatives, target, grids, context }) {
    const names = grids.map(grid => grid.tensor);
    const run = await derivatives.gradients(
      {
        target: target.tensor,
        withRespectTo: names,
        mode: 'gradient',
        top: target.seed.kind === 'top',
      },
      target.seed,
      new Map(),
      true,
    );
    const maps: LayerMap[] = [];
    let zeroGradient = true;
    for (const grid of grids) {
      context.signal.throwIfAborted();
      const activation = run.activations.get(grid.tensor);
      const gradient = run.gradients.get(grid.tensor);
      if (!activation || !gradient) continue;
      const units = unitsOf(derivatives, context, grid.tensor);
      const slopes = slopesInUnits(grid.planes(gradient), units);
      zeroGradient &&= slopes.every(value => value === 0);
      const planes = inUnits(grid.planes(activation), units);
      maps.push({ grid, values: camOf(grid, planes, slopes, formula) });
    }
    const noPath = maps.length < grids.length;
    return { kind: 'layer', maps, value: run.target, options: {}, noPath, zeroGradient };
  },
});

function camOf(
  grid: LayerGrid,
  activations: Float32Array,
  gradients: Float32Array,
  formula: CamFormula,
): Float32Array {
  const { images, channels, positions } = grid;
  const values = new Float32Array(images * positions);
  const size = channels * positions;
  for (let image = 0; image < images; image++) {
    const part = (all: Float32Array): Float32Array =>
      all.subarray(image * size, (image + 1) * size);
    values.set(
      formula({
        channels,
        positions,
        activations: part(activations),
        gradients: part(gradients),
      }),
      image * positions,
    );
  }
  return values;
}

/** Σ_c weight(c) · A_c, [positions]. `weight` is asked once for each channel. */
export function weightedSum(layer: CamLayer, weight: (channel: number) => number): Float64Array {
  const { channels, positions, activations } = layer;
  const map = new Float64Array(positions);
  for (let channel = 0; channel < channels; channel++) {
    const factor = weight(channel);
    if (factor === 0) continue;
    const start = channel * positions;
    for (let i = 0; i < positions; i++)
      map[i] = (map[i] ?? 0) + factor * (activations[start + i] ?? 0);
  }
  return map;
}

/** Σ over the positions of a channel of what `term` gives for its activation and gradient. */
export function channelSum(
  { positions, activations, gradients }: CamLayer,
  channel: number,
  term: (activation: number, gradient: number) => number,
): number {
  let sum = 0;
  for (let i = channel * positions; i < (channel + 1) * positions; i++)
    sum += term(activations[i] ?? 0, gradients[i] ?? 0);
  return sum;
}

/** Σ_c of what `term` gives at each position, [positions]. */
export function positionSum(
  { channels, positions, activations, gradients }: CamLayer,
  term: (activation: number, gradient: number) => number,
): Float64Array {
  const map = new Float64Array(positions);
  for (let channel = 0, at = 0; channel < channels; channel++)
    for (let i = 0; i < positions; i++, at++)
      map[i] = (map[i] ?? 0) + term(activations[at] ?? 0, gradients[at] ?? 0);
  return map;
}
