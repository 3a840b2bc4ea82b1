import { found, type Findings } from './facts';
import { sidecarNamed, type Sidecars } from './sidecars';

/** Azure Custom Vision exports: a `cvexport.manifest` lies beside the model; channels and range are in the `Image.…` metadata. */
export function customVision(sidecars: Sidecars): Findings | null {
  const file = sidecarNamed(sidecars, 'cvexport.manifest');
  return file
    ? {
        resize: found('stretch', `${file.name}: as the export samples do`),
        interpolation: found('bilinear', `${file.name}: as the export samples do`),
        notes: [
          'Custom Vision states that its service preprocesses differently from exported models: low confidence.',
        ],
      }
    : null;
}
