import { UserError } from '../../../../protocol/errors';
import type { PredictedClass, ResolvedTarget, TargetSpec } from '../../../../protocol/attribution';
import { toFloat64 } from '../../onnx/numbers';
import { elementCount, type Tensor } from '../../onnx/tensor';
import { topClasses } from '../classScores';
import type { MethodContext } from '../method';
import { classOutput, type ClassOutput } from './classOutput';
import type { Derivatives, Seed } from './derivatives';
import { detectionsOf } from './detections';
import { gridOf } from './layerGrid';
import { segmentationSeed } from './segmentation';

/** A scalar of the model: the weighted sum of a tensor. */
export interface Target {
  readonly spec: TargetSpec;
  readonly tensor: string;
  readonly seed: Seed;
  /** The single element, batch first; null for sums and for the highest class, which the run tells. */
  readonly index: readonly number[] | null;
  readonly words: string;
  /** Where the model gives class scores. */
  readonly classes: ClassOutput | null;
}

/** The model's class scores, where it gives any. */
export const classesOf = (derivatives: Derivatives): ClassOutput | null =>
  classOutput(
    derivatives.model.graph,
    name => derivatives.shapeOf(name),
    name => derivatives.isFloat(name),
  );

/**
 * What a target means for a model and input. @throws UserError `tensorNotFound`, `outOfRange`, `wrongShape`, `unsupported`, `usage`, naming the target.
 */
export async function resolveTarget(
  spec: TargetSpec,
  derivatives: Derivatives,
  context: MethodContext,
): Promise<Target> {
  const classes = classesOf(derivatives);
  switch (spec.kind) {
    case 'top':
      if (!classes) return fallbackTarget(spec, derivatives);
      return derivatives.approximate === null
        ? topTarget(spec, classes)
        : predictedTarget(spec, classes, derivatives);
    case 'class':
    case 'difference':
      return classTarget(spec, needClasses(classes), derivatives);
    case 'element':
      return elementTarget(spec, derivatives, classes);
    case 'weighted': {
      const shape = shapeOfTarget(derivatives, spec.tensor);
      const values = toFloat64(await context.readArray(spec.weights));
      if (values.length !== elementCount(shape))
        throw new UserError(
          'wrongShape',
          `The weights have ${values.length} elements, but "${spec.tensor}" has the shape [${shape.join(', ')}].`,
        );
      return weightedTarget(
        spec,
        spec.tensor,
        Float32Array.from(values),
        `weighted sum of ${spec.tensor}`,
        classes,
      );
    }
    case 'channel':
      return channelTarget(spec, derivatives, classes);
    case 'box':
      return boxTarget(spec, derivatives, classes);
    case 'mask': {
      const { tensor, values } = await segmentationSeed(spec, derivatives, context);
      return weightedTarget(spec, tensor, values, `class ${spec.class}`, classes);
    }
    case 'sum':
      return sumTarget(spec, derivatives, classes);
  }
}

const topTarget = (spec: TargetSpec, classes: ClassOutput): Target => ({
  spec,
  tensor: classes.scores,
  seed: { kind: 'top' },
  index: null,
  words: 'the highest class',
  classes,
});

/** The class that a quantised model itself predicts: the form that is differentiated may round otherwise. */
async function predictedTarget(
  spec: TargetSpec,
  classes: ClassOutput,
  derivatives: Derivatives,
): Promise<Target> {
  const value = (await derivatives.values([classes.scores])).get(classes.scores);
  if (!value) throw new Error(`the run gave no ${classes.scores}`);
  const { classIndex } = resolved(topTarget(spec, classes), value);
  const target = classTarget({ kind: 'class', index: classIndex ?? 0 }, classes, derivatives);
  return { ...target, spec };
}

/** Without class scores the best detection is what stands out, else everything together. */
async function fallbackTarget(spec: TargetSpec, derivatives: Derivatives): Promise<Target> {
  const found = await detectionsOf(derivatives);
  if (found && found.detections.length > 0) {
    const target = await boxTarget({ kind: 'box', index: 0 }, derivatives, null);
    return { ...target, spec };
  }
  return sumTarget(spec, derivatives, null);
}

function weightedTarget(
  spec: TargetSpec,
  tensor: string,
  values: Float32Array,
  words: string,
  classes: ClassOutput | null,
  index: readonly number[] | null = null,
): Target {
  return { spec, tensor, seed: { kind: 'weights', values }, index, words, classes };
}

function needClasses(classes: ClassOutput | null): ClassOutput {
  if (classes) return classes;
  throw new UserError(
    'unsupported',
    'This model gives no class scores; choose an output element, a channel, a detection or the sum as target.',
  );
}

function classTarget(
  spec: Extract<TargetSpec, { kind: 'class' | 'difference' }>,
  classes: ClassOutput,
  derivatives: Derivatives,
): Target {
  const shape = shapeOfTarget(derivatives, classes.scores);
  const images = elementCount(shape) / classes.classes;
  const values = new Float32Array(elementCount(shape));
  const set = (index: number, weight: number): void => {
    if (!Number.isInteger(index) || index < 0 || index >= classes.classes)
      throw new UserError(
        'outOfRange',
        `The model has the classes 0 to ${classes.classes - 1}; ${index} is none of them.`,
      );
    for (let image = 0; image < images; image++)
      values[image * classes.classes + index] =
        (values[image * classes.classes + index] ?? 0) + weight;
  };
  set(spec.index, 1);
  if (spec.kind === 'difference') set(spec.minus, -1);
  const words =
    spec.kind === 'class'
      ? `class ${spec.index}`
      : `class ${spec.index} and not class ${spec.minus}`;
  return weightedTarget(
    spec,
    classes.scores,
    values,
    words,
    classes,
    spec.kind === 'class' ? [0, spec.index] : null,
  );
}

function elementTarget(
  spec: Extract<TargetSpec, { kind: 'element' }>,
  derivatives: Derivatives,
  classes: ClassOutput | null,
): Target {
  const shape = shapeOfTarget(derivatives, spec.tensor);
  const fits =
    spec.index.length === shape.length &&
    spec.index.every((at, axis) => Number.isInteger(at) && at >= 0 && at < (shape[axis] ?? 0));
  if (!fits)
    throw new UserError(
      'outOfRange',
      `"${spec.tensor}" has the shape [${shape.join(', ')}]; the index ${spec.index.join(', ')} is outside.`,
    );
  const values = new Float32Array(elementCount(shape));
  const perImage = elementCount(shape.slice(1));
  const within = spec.index
    .slice(1)
    .reduce((at, index, axis) => at * (shape[axis + 1] ?? 1) + index, 0);
  if (shape.length === 0) values[0] = 1;
  else if (shape.length === 1) values[spec.index[0] ?? 0] = 1;
  else for (let image = 0; image < (shape[0] ?? 1); image++) values[image * perImage + within] = 1;
  return weightedTarget(
    spec,
    spec.tensor,
    values,
    `${spec.tensor}[${spec.index.join(', ')}]`,
    classes,
    spec.index,
  );
}

function channelTarget(
  spec: Extract<TargetSpec, { kind: 'channel' }>,
  derivatives: Derivatives,
  classes: ClassOutput | null,
): Target {
  shapeOfTarget(derivatives, spec.tensor);
  const grid = gridOf(derivatives, spec.tensor);
  const place = spec.row === undefined ? null : { row: spec.row, column: spec.column ?? 0 };
  const values = grid.channelWeights(spec.channel, place);
  const where = place ? ` at (${place.row}, ${place.column})` : '';
  return weightedTarget(
    spec,
    spec.tensor,
    values,
    `channel ${spec.channel} of ${spec.tensor}${where}`,
    classes,
  );
}

async function boxTarget(
  spec: Extract<TargetSpec, { kind: 'box' }>,
  derivatives: Derivatives,
  classes: ClassOutput | null,
): Promise<Target> {
  const found = await detectionsOf(derivatives);
  if (!found)
    throw new UserError(
      'unsupported',
      'The outputs of this model are not read as detections; choose an output element as target.',
    );
  const detection = found.detections[spec.index];
  if (!detection)
    throw new UserError(
      'outOfRange',
      found.detections.length === 0
        ? 'The model found nothing in this picture; choose another picture or an output element as target.'
        : `The model found ${found.detections.length} objects (0 to ${found.detections.length - 1}); ${spec.index} is none of them.`,
    );
  const values = new Float32Array(elementCount(shapeOfTarget(derivatives, detection.tensor)));
  values[detection.element] = 1;
  return weightedTarget(
    spec,
    detection.tensor,
    values,
    `detection ${spec.index} (class ${detection.classIndex})`,
    classes,
  );
}

/** Sum of the first output that is a float tensor. */
function sumTarget(
  spec: TargetSpec,
  derivatives: Derivatives,
  classes: ClassOutput | null,
): Target {
  const output = derivatives.model.graph.outputs.find(({ name }) => derivatives.isFloat(name));
  if (!output)
    throw new UserError(
      'unsupported',
      'The model has no float output, so there is no target to explain.',
    );
  const values = new Float32Array(elementCount(shapeOfTarget(derivatives, output.name))).fill(1);
  return weightedTarget(spec, output.name, values, `sum of ${output.name}`, classes);
}

/** The shape of a tensor that is to be a target. */
function shapeOfTarget(derivatives: Derivatives, name: string): readonly number[] {
  const info = derivatives.facts.shapes.get(name);
  if (!info)
    throw new UserError('tensorNotFound', `The model has no tensor "${name}" to be a target.`);
  if (!derivatives.isFloat(name))
    throw new UserError(
      'unsupported',
      `"${name}" holds ${info.dtype}: only float tensors can be a target.`,
    );
  const shape = derivatives.shapeOf(name);
  if (!shape)
    throw new UserError(
      'unsupported',
      `The shape of "${name}" depends on the values of a run; choose another target.`,
    );
  return shape;
}

/** Value of the target for the first image: the seed's weighted sum, or the highest element. */
export function resolved(target: Target, value: Tensor): ResolvedTarget {
  const elements = toFloat64(value);
  const { spec, tensor, words, seed } = target;
  const perImage =
    target.classes && tensor === target.classes.scores
      ? target.classes.classes
      : elementCount(value.shape.slice(1));
  if (seed.kind === 'top') {
    let best = 0;
    for (let i = 1; i < perImage; i++) if ((elements[i] ?? 0) > (elements[best] ?? 0)) best = i;
    return {
      spec,
      tensor,
      index: [0, best],
      classIndex: best,
      score: elements[best] ?? NaN,
      words: `class ${best}`,
    };
  }
  const count = value.shape.length > 1 ? perImage : elements.length;
  let score = 0;
  for (let i = 0; i < count; i++) {
    const weight = seed.values[i] ?? 0;
    if (weight !== 0) score += weight * (elements[i] ?? 0);
  }
  return { spec, tensor, index: target.index, classIndex: classIndexOf(target), score, words };
}

function classIndexOf({ spec, tensor, classes, index }: Target): number | null {
  if (spec.kind === 'class') return spec.index;
  if (spec.kind === 'mask') return spec.class;
  if (spec.kind === 'top' && classes && tensor === classes.scores) return index?.[1] ?? null;
  if (spec.kind !== 'element' || !classes) return null;
  const isScore = tensor === classes.scores || tensor === classes.output;
  return isScore ? (index?.slice(1).find(at => at > 0) ?? 0) : null;
}

/** The five highest classes of the first image. */
export function predictedOf(
  classes: ClassOutput | null,
  scores: Tensor,
): readonly PredictedClass[] | null {
  if (!classes) return null;
  return topClasses(toFloat64(scores).slice(0, classes.classes), TOP);
}

const TOP = 5;
