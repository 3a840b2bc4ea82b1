import { channelSum, gradientCam, weightedSum } from './gradientCam';

const EPSILON = 1e-6;

/**
 * Grad-CAM++ (Chattopadhay et al. 2018, arXiv 1710.11063, eq. 19, in the form of pytorch-grad-cam): a = G² / (2G² + (Σ_ij A)·G³ + 1e-6), 0 where
 * G = 0; w_c = Σ_ij max(G, 0)·a; map = Σ_c w_c A_c.
 */
export const gradCamPlusPlus = gradientCam('grad-cam++', layer =>
  weightedSum(layer, channel => {
    const total = channelSum(layer, channel, activation => activation);
    return channelSum(layer, channel, (_, g) => {
      if (g <= 0) return 0;
      return (g * g * g) / (2 * g * g + total * g * g * g + EPSILON);
    });
  }),
);
