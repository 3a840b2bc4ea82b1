import { gradientCam, positionSum } from './gradientCam';

/** HiRes-CAM (Draelos and Carin 2020, arXiv 2011.08891): Σ_c G·A. */
export const hiResCam = gradientCam('hires-cam', layer =>
  positionSum(layer, (activation, gradient) => gradient * activation),
);
