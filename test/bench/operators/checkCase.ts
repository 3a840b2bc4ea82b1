import type * as ort from 'onnxruntime-node';
import type { ValueInfo } from '../../../protocol/model';
import { NoGradientError } from '../../../server/src/gradient/errors';
import { ruleFor } from '../../../server/src/gradient/rules';
import { isFloat } from '../../../server/src/gradient/value';
import type { Graph } from '../../../server/src/onnx/graph';
import {
  directionalErrors,
  type DirectionalError,
  random,
  TOLERANCE,
} from '../../unit/gradient/finiteDifferences';
import { sessionFor } from '../../unit/gradient/runtime';
import type { OperatorCase } from './cases';
import {
  comparable,
  equalValues,
  type Feeds,
  moved,
  SPREADS,
  type Values,
  valuesAt,
} from './points';
import { prepareCase } from './prepareCase';
import { widened } from './widened';

/** Why a case is not counted. */
export type Exclusion =
  | 'texts, sequences or optionals'
  | 'no float32 or float64 input'
  | 'no float32 or float64 output'
  | 'inputs without a stored value'
  | 'not run by ONNX Runtime'
  | 'random numbers'
  | 'no derivative by nature';

export type Outcome =
  | { readonly kind: 'excluded'; readonly reason: Exclusion; readonly detail: string }
  /** The engine refuses, and says why. */
  | { readonly kind: 'uncovered'; readonly detail: string }
  /** The largest relative error. */
  | { readonly kind: 'passed'; readonly error: number }
  | { readonly kind: 'failed'; readonly error: number; readonly detail: string };

/** Runs that have to give the same. Two are not enough: the first two of a random Dropout are the same. */
const RUNS = 4;

/** A case whose model runs, and what of it is looked at. */
interface Question {
  readonly given: OperatorCase;
  readonly session: ort.InferenceSession;
  readonly targets: readonly string[];
  readonly inputs: readonly string[];
}

/**
 * Compares the engine's derivatives of a case with central differences: of every float output with respect to every float input that is no
 * size or amount. The inputs of the corpus lie on kinks and ties (whole numbers, zeros), where there is no derivative to compare with: they
 * are moved by random numbers, several times where need be, and the best point counts. What fails is tried in float64 too. A wrong derivative is wrong everywhere.
 */
export async function checkCase(given: OperatorCase): Promise<Outcome> {
  const outcome = await outcomeOf(given);
  if (outcome.kind !== 'failed') return outcome;
  const precise = await outcomeOf(widened(given));
  return precise.kind === 'passed' ? precise : outcome;
}

async function outcomeOf(given: OperatorCase): Promise<Outcome> {
  const { graph } = given.model;
  const reason = excludedByTypes(given);
  if (reason) return excluded(reason, '');
  const feeds = new Map([...given.inputs].flatMap(([name, x]) => (x ? [[name, x] as const] : [])));
  const targets = graph.outputs.filter(isFloatValue).map(({ name }) => name);
  const floats = graph.inputs.filter(isFloatValue).map(({ name }) => name);
  const inputs = floats.filter(name => !decidesSizes(graph, name));
  if (inputs.length === 0) return excluded('no derivative by nature', 'float inputs are sizes');
  let session: ort.InferenceSession;
  let values: Values;
  try {
    session = await sessionFor(given.model, targets);
    values = await valuesAt(session, targets, feeds);
  } catch (error) {
    return excluded('not run by ONNX Runtime', messageOf(error));
  }
  for (let run = 1; run < RUNS; run++)
    if (!equalValues(values, await valuesAt(session, targets, feeds)))
      return excluded('random numbers', '');
  return bestOutcome({ given, session, targets, inputs }, feeds, values);
}

/** At the points that the spreads lead to, until one passes. */
async function bestOutcome(question: Question, feeds: Feeds, values: Values): Promise<Outcome> {
  const { session, targets, inputs } = question;
  const next = random(1);
  let best: Outcome = { kind: 'failed', error: Infinity, detail: 'no point has finite values' };
  for (const spread of SPREADS) {
    const point = moved(feeds, inputs, spread, next);
    const there = await valuesAt(session, targets, point).catch(() => null);
    if (!there || !comparable(there, values)) continue;
    const outcome = await outcomeAt(question, point, next);
    if (outcome.kind !== 'failed') return outcome;
    if (outcome.error <= best.error) best = outcome;
  }
  return best;
}

async function outcomeAt(question: Question, point: Feeds, next: () => number): Promise<Outcome> {
  const { given, targets, inputs } = question;
  const errors: DirectionalError[] = [];
  try {
    const { model, facts } = await prepareCase(given.model, point);
    for (const target of targets)
      errors.push(
        ...(await directionalErrors({
          ...{ model, original: given.model, facts, feeds: point },
          ...{ target, withRespectTo: inputs, next },
        })),
      );
  } catch (error) {
    if (!(error instanceof NoGradientError))
      return { kind: 'failed', error: Infinity, detail: messageOf(error) };
    return (await isFlat(question, point, next))
      ? excluded('no derivative by nature', '')
      : { kind: 'uncovered', detail: messageOf(error) };
  }
  const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
  if (!(worst.error < TOLERANCE)) {
    const how = worst.emitted ? '' : ', for which no derivative is emitted';
    return { kind: 'failed', error: worst.error, detail: `with respect to ${worst.name}${how}` };
  }
  if (errors.every(({ emitted }) => !emitted)) return excluded('no derivative by nature', '');
  return { kind: 'passed', error: worst.error };
}

/** Whether small moves of all inputs change nothing. */
async function isFlat(
  { session, targets, inputs }: Question,
  point: Feeds,
  next: () => number,
): Promise<boolean> {
  const there = moved(point, inputs, { low: -0.1, high: 0.1 }, next);
  return equalValues(
    await valuesAt(session, targets, point),
    await valuesAt(session, targets, there),
  );
}

function excludedByTypes({ model, inputs }: OperatorCase): Exclusion | null {
  const values = [...model.graph.inputs, ...model.graph.outputs];
  if (values.some(({ container, dtype }) => container !== undefined || dtype === 'string'))
    return 'texts, sequences or optionals';
  if (!model.graph.inputs.some(isFloatValue)) return 'no float32 or float64 input';
  if (!model.graph.outputs.some(isFloatValue)) return 'no float32 or float64 output';
  const unfed = [...inputs.values()].some(value => value === null);
  return unfed ? 'inputs without a stored value' : null;
}

const isFloatValue = ({ dtype }: ValueInfo): boolean => isFloat(dtype);

/** Whether an input is not used, or only where its elements have to be known when the derivative is written: sizes, scales, amounts. */
const decidesSizes = (graph: Graph, name: string): boolean =>
  graph.nodes.every(node =>
    node.inputs.every((input, i) => input !== name || ruleFor(node)?.known?.includes(i) === true),
  );

const excluded = (reason: Exclusion, detail: string): Outcome => ({
  kind: 'excluded',
  reason,
  detail,
});

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
