import type { TargetSpec } from '../../../../protocol/attribution';
import { UserError } from '../../../../protocol/errors';
import type { MethodContext } from '../method';
import type { Derivatives } from './derivatives';

/** The weights of a mask target on the class maps of a segmentation model. @throws UserError `unsupported`, `outOfRange`, `wrongShape`. */
export function segmentationSeed(
  spec: Extract<TargetSpec, { kind: 'mask' }>,
  _derivatives: Derivatives,
  _context: MethodContext,
): Promise<{ readonly tensor: string; readonly values: Float32Array }> {
  throw new UserError('unsupported', `There is no class ${spec.class} to be masked.`);
}
