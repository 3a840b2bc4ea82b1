import { channelSum, gradientCam, weightedSum } from './gradientCam';

/** Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, eq. 1 and 2 without the final ReLU): w_c = mean_ij G; map = Σ_c w_c A_c. */
export const gradCam = gradientCam('grad-cam', layer =>
  weightedSum(
    layer,
    channel => channelSum(layer, channel, (_, gradient) => gradient) / layer.positions,
  ),
);
