import type { AttributionMethod } from '../../../../protocol/attribution';
import type { Attributor } from './attributor';
import { eigenCam } from './eigenCam';
import { gradCam } from './gradCam';
import { gradCamPlusPlus } from './gradCamPlusPlus';
import { gradient } from './gradient';
import { hiResCam } from './hiResCam';
import { inputXGradient } from './inputXGradient';
import { layerCam } from './layerCam';
import { deconvolution, guidedBackprop } from './rectifiedBackprop';
import { xGradCam } from './xGradCam';

/** Every attribution method, sorted by file. */
export const attributors: readonly Attributor[] = [
  eigenCam,
  gradCam,
  gradCamPlusPlus,
  gradient,
  hiResCam,
  inputXGradient,
  layerCam,
  deconvolution,
  guidedBackprop,
  xGradCam,
];

/** The method of this name. */
export function attributorOf(name: AttributionMethod): Attributor {
  const found = attributors.find(attributor => attributor.name === name);
  if (!found) throw new Error(`no attribution method ${name}`);
  return found;
}
