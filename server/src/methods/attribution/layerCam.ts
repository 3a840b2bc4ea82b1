import { gradientCam, positionSum } from './gradientCam';

/** Layer-CAM (Jiang et al. 2021, IEEE TIP 30, eq. 5 without the final ReLU): Σ_c max(G, 0)·A. */
export const layerCam = gradientCam('layer-cam', layer =>
  positionSum(layer, (activation, gradient) => Math.max(gradient, 0) * activation),
);
