import type { AttributionMethod } from '../../../../protocol/attribution';
import { ablationCam } from './ablationCam';
import type { Attributor } from './attributor';
import { eigenCam } from './eigenCam';
import { gradCam } from './gradCam';
import { gradCamPlusPlus } from './gradCamPlusPlus';
import { gradient } from './gradient';
import { guidedGradCam } from './guidedGradCam';
import { hiResCam } from './hiResCam';
import { inputXGradient } from './inputXGradient';
import { integratedGradients } from './integratedGradients';
import { layerCam } from './layerCam';
import { occlusion } from './occlusion';
import { deconvolution, guidedBackprop } from './rectifiedBackprop';
import { rise } from './rise';
import { scoreCam } from './scoreCam';
import { smoothGrad } from './smoothGrad';
import { xGradCam } from './xGradCam';

/** Every attribution method, sorted by file. */
export const attributors: readonly Attributor[] = [
  ablationCam,
  eigenCam,
  gradCam,
  gradCamPlusPlus,
  gradient,
  guidedGradCam,
  hiResCam,
  inputXGradient,
  integratedGradients,
  layerCam,
  occlusion,
  deconvolution,
  guidedBackprop,
  rise,
  scoreCam,
  smoothGrad,
  xGradCam,
];

/** The method of this name. */
export function attributorOf(name: AttributionMethod): Attributor {
  const found = attributors.find(attributor => attributor.name === name);
  if (!found) throw new Error(`no attribution method ${name}`);
  return found;
}
