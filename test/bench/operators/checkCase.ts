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
import type { OperatorCase } from './cases';
import { Forward, type Feeds, type Values } from './forward';
import { movedFeeds, MOVES } from './movedFeeds';
import { preparedFor } from './preparedFor';

/** Why a case is not counted. */
export type Exclusion =
  | 'texts, sequences, optionals'
  | 'no float32 or float64 input'
  | 'no float32 or float64 output'
  | 'inputs of 16 bits and less'
  | 'not run by ONNX Runtime'
  | 'random'
  | 'no derivative by nature';

export type Outcome =
  | { readonly kind: 'excluded'; readonly reason: Exclusion; readonly detail: string }
  /** The engine refuses, and says why. */
  | { readonly kind: 'uncovered'; readonly detail: string }
  | { readonly kind: 'passed'; readonly error: number }
  | { readonly kind: 'failed'; readonly error: number; readonly detail: string };

/**
 * Compares the engine's derivatives of a case with central differences: of every float output with respect to every float input that is no
 * size or amount. The inputs of the corpus lie on kinks and ties (whole numbers, zeros), where there is no derivative to compare with: they
 * are moved by random numbers, several times where need be, and the best point counts. A wrong derivative is wrong at all of them.
 */
export async function checkCase(given: OperatorCase): Promise<Outcome> {
  const { graph } = given.model;
  const byTypes = excludedByTypes(given);
  if (byTypes) return excluded(byTypes, '');
  const feeds = new Map([...given.inputs].flatMap(([name, x]) => (x ? [[name, x] as const] : [])));
  const targets = graph.outputs.filter(isFloatValue).map(({ name }) => name);
  const inputs = graph.inputs.filter(isFloatValue).map(({ name }) => name);
  const wanted = inputs.filter(name => !decidesSizes(graph, name));
  if (wanted.length === 0) return excluded('no derivative by nature', 'its float inputs are sizes');
  let forward: Forward;
  let values: Values;
  try {
    forward = await Forward.of(given.model, targets);
    values = await forward.run(feeds);
  } catch (error) {
    return excluded('not run by ONNX Runtime', messageOf(error));
  }
  if (!values.equals(await forward.run(feeds))) return excluded('random', '');
  let best: Outcome | null = null;
  for (const move of MOVES) {
    const moved = await movedFeeds(forward, feeds, values, wanted, move);
    if (!moved) continue;
    const outcome = await outcomeAt(given, forward, moved, targets, wanted);
    best = better(best, outcome);
    if (best.kind !== 'failed') return best;
  }
  return best ?? { kind: 'failed', error: NaN, detail: 'no point with finite values was found' };
}
