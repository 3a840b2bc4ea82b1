import type { InputStart, StartStep } from '../../onnx/inputStart';
import { found, guessed, type Findings, type PictureInput } from './facts';

const IMAGENET_MEAN = [0.485, 0.456, 0.406];
const IMAGENET_STD = [0.229, 0.224, 0.225];

/**
 * What the graph itself says: an input of whole numbers takes pixels as they are; a graph that begins by normalising is fed what that expects,
 * 0…255 or 0…1 by the size of its constants, so that nothing is normalised twice. These hold against a file that says otherwise. Where only a
 * BatchNormalization comes first the range is a guess.
 */
export function inGraph(input: PictureInput, start: InputStart | undefined): Findings | null {
  const { dtype } = input.info;
  if (/^u?int/.test(dtype)) {
    const from = `input type ${dtype}`;
    return { scale: found(1, from), mean: found([0], from), std: found([1], from) };
  }
  if (!start?.normalises) return null;
  const steps = start.steps.map(describeStep).join(', ').slice(0, 200);
  if (fromImageNet(start))
    return {
      scale: found(1 / 255, `graph: ${steps}`),
      mean: found(IMAGENET_MEAN, `graph: ${steps}`),
      std: found(IMAGENET_STD, `graph: ${steps}`),
      notes: [
        `The graph turns ImageNet normalisation into −1…1 by itself (${steps}): it is fed the former.`,
      ],
    };
  const { mean, std } = start;
  const certain =
    mean !== null && std !== null && start.steps.some(step => step.kind === 'arithmetic');
  const trace = certain ? found : guessed;
  const from = certain ? `graph: ${steps}` : `the graph begins with ${steps}`;
  // Constants for pixels 0…255 lie far above those for 0…1.
  const takes255 =
    (mean ?? []).some(value => Math.abs(value) > 2) ||
    (std ?? []).some(value => Math.abs(value) > 8);
  return {
    scale: trace(takes255 ? 1 : 1 / 255, from),
    mean: trace([0], from),
    std: trace([1], from),
    notes: [`The graph normalises by itself (${steps}): nothing is normalised before it.`],
  };
}

/** torchvision's `transform_input`: pixels normalised for ImageNet become (x − 0.5) / 0.5. */
function fromImageNet({ mean, std }: InputStart): boolean {
  const near = (values: readonly number[] | null, expected: readonly number[]): boolean =>
    values?.length === 3 &&
    values.every((value, channel) => Math.abs(value - (expected[channel] ?? 0)) < 0.01);
  const scale = IMAGENET_STD.map(deviation => 0.5 / deviation);
  const shift = IMAGENET_MEAN.map((value, channel) => (0.5 - value) / (IMAGENET_STD[channel] ?? 1));
  return near(std, scale) && near(mean, shift);
}

function describeStep(step: StartStep): string {
  switch (step.kind) {
    case 'arithmetic':
      return `${step.op} ${
        step.values
          ? step.values
              .slice(0, 4)
              .map(value => Number(value.toPrecision(4)))
              .join('/')
          : ''
      }`.trim();
    case 'cast':
      return `Cast to ${step.to}`;
    case 'transpose':
      return 'Transpose';
    case 'channels':
      return 'channel swap';
    case 'batchNormalization':
      return 'BatchNormalization';
    default:
      return step.kind;
  }
}
