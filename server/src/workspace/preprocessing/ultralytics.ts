import { found, type Findings } from './facts';
import { parsePythonLiteral } from './pythonLiteral';
import { sideOf } from './sidecars';

/** True for models that the Ultralytics exporter wrote, by their metadata. */
export function isUltralytics(metadata: ReadonlyMap<string, string>): boolean {
  const says = (key: string): boolean => /ultralytics/i.test(metadata.get(key) ?? '');
  return (
    says('author') ||
    says('description') ||
    says('docs') ||
    (metadata.has('names') && metadata.has('stride') && metadata.has('imgsz'))
  );
}

/**
 * Reads the metadata of the Ultralytics exporter, whose values are Python's `str()`: RGB, scale 1/255, letterbox with border 114; for
 * classifiers shortest side and centre crop.
 */
export function ultralytics(metadata: ReadonlyMap<string, string>): Findings | null {
  if (!isUltralytics(metadata)) return null;
  const source = 'metadata: Ultralytics';
  const imgsz = parsePythonLiteral(metadata.get('imgsz') ?? '');
  const [height, width = height] = (Array.isArray(imgsz) ? imgsz : [imgsz]).map(sideOf);
  const classifies = metadata.get('task') === 'classify';
  return {
    ...(height !== undefined && width !== undefined
      ? {
          size: found({ width, height }, 'metadata: imgsz'),
          ...(classifies
            ? { shortestSide: found(Math.min(width, height), 'metadata: imgsz') }
            : {}),
        }
      : {}),
    channels: found(
      parsePythonLiteral(metadata.get('channels') ?? '') === 1 ? 'GRAY' : 'RGB',
      metadata.has('channels') ? 'metadata: channels' : source,
    ),
    scale: found(1 / 255, source),
    mean: found([0], source),
    std: found([1], source),
    resize: found(
      classifies ? 'crop' : 'letterbox',
      metadata.has('task') ? 'metadata: task' : source,
    ),
    border: found(114, source),
    interpolation: found('bilinear', source),
    notes: classifies
      ? []
      : [
          'Ultralytics resizes without antialiasing (OpenCV); here it is antialiased, which differs where a picture is reduced.',
        ],
  };
}
