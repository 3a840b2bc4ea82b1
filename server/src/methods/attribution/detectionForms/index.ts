import { boxesAndScores } from './boxesAndScores';
import { fastestDet } from './fastestDet';
import type { DetectionForm } from './form';
import { yoloColumns, yoloRows } from './yolo';
import { yuNet } from './yuNet';

/** Every form that is known, in the order in which they are tried: names first, then shapes. */
export const detectionForms: readonly DetectionForm[] = [
  yuNet,
  boxesAndScores,
  yoloColumns,
  yoloRows,
  fastestDet,
];
