import { channelSum, gradientCam, weightedSum } from './gradientCam';

const EPSILON = 1e-7;

/** XGrad-CAM (Fu et al. 2020, arXiv 2008.02312, in the form of pytorch-grad-cam): w_c = Σ_ij G·A / (Σ_ij A + 1e-7); map = Σ_c w_c A_c. */
export const xGradCam = gradientCam('xgrad-cam', layer =>
  weightedSum(
    layer,
    channel =>
      channelSum(layer, channel, (activation, gradient) => activation * gradient) /
      (channelSum(layer, channel, activation => activation) + EPSILON),
  ),
);
