import type { Dimension } from '../../../../protocol/model';
import type { AttentionKind } from '../../../../protocol/attention';
import type { Node } from '../graph';

/** What an axis of a tensor of probabilities stands for; `merged`: batch and heads in one. */
export type AxisRole = 'batch' | 'heads' | 'merged' | 'queries' | 'keys';

/** A tensor of attention probabilities and how it is laid out. */
export interface Probabilities {
  readonly tensor: string;
  /** The role of each axis, in order. */
  readonly axes: readonly AxisRole[];
  readonly heads: Dimension;
  /** Of a merged axis: heads are the slower index. */
  readonly headsOuter: boolean;
}

/** An attention block of a graph. */
export interface AttentionBlock {
  /** The softmax (the last node of one that is written out), or the operator that does it all. */
  readonly node: Node;
  readonly kind: AttentionKind;
  /** Queries see no keys behind their own place, as far as the graph tells. */
  readonly causal: boolean;
  readonly heads: Dimension;
  /** Heads of keys and values: fewer than `heads` where groups of queries share them. */
  readonly keyHeads: Dimension;
  readonly queries: Dimension;
  readonly keys: Dimension;
  /** What the scores are multiplied with; null where it is not one number that the graph states. */
  readonly scale: number | null;
  /** Tensors that are added to the scores or choose among them. */
  readonly masks: readonly string[];
  /** Null where the operator does not show them: a graph edit makes them. */
  readonly probabilities: Probabilities | null;
  /** Values weighted by the probabilities; of an operator, its first output. */
  readonly context: string;
  /** The tensors that queries and keys are projected from, as far as they were traced. */
  readonly querySources: readonly string[];
  readonly keySources: readonly string[];
  /**
   * Windowed attention: the tensor whose elements are only moved about on the way to the queries' projection, so that the way tells which place each
   * query has; else null.
   */
  readonly windows: { readonly from: string; readonly to: string } | null;
}
