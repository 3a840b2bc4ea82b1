import type { Finding } from '../../../../protocol/attribution';
import type { PreprocessingSpec } from '../../../../protocol/preprocessing';
import { toFloat32 } from '../../onnx/numbers';
import type { Finished } from './finished';
import { rangeOfTensor } from './tensorRange';
import { predictedOf } from './targets';

/** Fed values beyond this were never scaled. */
const UNSCALED = 20;
/** Of at least this many classes, the highest one has more than this where a picture is seen as in training. */
const MANY_CLASSES = 100;
const UNSURE = 0.05;

const EDIT = {
  kind: 'command',
  title: 'Edit Preprocessing Settings…',
  action: { title: 'Edit Preprocessing Settings…', command: 'layerLens.editPreprocessing' },
} as const;

/** Signs that a picture was not fed as the model expects it; cautious, because a wrong alarm costs more than a missed one. */
export function inputFindings({ request, value }: Finished): readonly Finding[] {
  const { input, feeds, target } = request;
  const { low, high } = rangeOfTensor(input.tensor);
  const feed = feeds[input.name];
  const remedy = feed?.kind === 'image' ? { remedy: EDIT } : {};
  const say = (message: string, severity: Finding['severity'] = 'warning'): Finding[] => [
    { kind: 'preprocessing', severity, message, ...remedy },
  ];
  if (input.tensor.data.length > 1 && low === high)
    return say(
      `The input "${input.name}" is ${low} everywhere: there is nothing to be seen in it.`,
    );
  const { classes } = target;
  const scored = classes?.scores === target.tensor ? classes : null;
  const scores = toFloat32(value).subarray(0, scored?.classes ?? 0);
  if (scores.length > 0 && scores.every(score => score === scores[0]))
    return say(
      `All classes have the same score (${scores[0]}) for this input: its preprocessing or the model file are likely to be wrong.`,
    );
  if (feed?.kind !== 'image' || !isGuessed(feed.preprocessing)) return [];
  if (high > UNSCALED)
    return say(
      `The picture is fed with values up to ${Math.round(high)}, and its preprocessing is guessed: most models expect numbers near 1.`,
    );
  if (!scored || scored.classes < MANY_CLASSES) return [];
  const [top] = predictedOf(scored, value) ?? [];
  if (!top || !(top.probability < UNSURE)) return [];
  return say(
    `The highest class has a probability of ${(100 * top.probability).toFixed(1)} % only, and the preprocessing is guessed: check whether it is what the model was trained with.`,
    'information',
  );
}

const isGuessed = ({ scale, mean, std, channels }: PreprocessingSpec): boolean =>
  [scale, mean, std, channels].some(traced => traced.guessed);
