import type { TargetSpec, ResolvedTarget } from './attribution';
import type { RunParams, RunRecord } from './methods';
import type { PictureGeometry } from './preprocessing';

/**
 * What an attention block relates: `self` tokens with each other; `windowed` tokens of one window with each other; `class` a few tokens (the class
 * token) with all of which they are some; `cross` queries with keys of something else, or learned queries with keys; `channel` features with each other,
 * not tokens.
 */
export type AttentionKind = 'self' | 'windowed' | 'class' | 'cross' | 'channel';

/** Tokens on the grid of the picture, behind those that stand for no place (class, distillation, register). */
export interface TokenLayout {
  readonly rows: number;
  readonly columns: number;
  readonly prefixTokens: number;
}

/** What looks like attention and has no probabilities. */
export interface AttentionLookalike {
  readonly kind: 'linear' | 'squeeze-excite';
  /** LayerInfo.id of the node where it ends. */
  readonly layer: string;
}

/** One attention block of a model, as the file tells. */
export interface AttentionInfo {
  /** Unique in the model: the id of its layer. */
  readonly id: string;
  /** LayerInfo.id of the softmax, or of the operator that computes all of it. */
  readonly layer: string;
  readonly kind: AttentionKind;
  /** Queries see no keys behind their own place, as far as the graph tells. */
  readonly causal: boolean;
  /** Null where only a run tells. */
  readonly heads: number | null;
  /** Heads of the keys: fewer where groups of queries share them. */
  readonly keyHeads: number | null;
  /** The tensor of the probabilities; null where they are derived by a graph edit. */
  readonly probabilities: string | null;
  readonly queries: number | null;
  readonly keys: number | null;
  /** What Q · Kᵀ is multiplied with, where the graph states one number. */
  readonly scale: number | null;
  /** Tensors that are added to the scores or choose among them. */
  readonly masks: readonly string[];
  /** The grid of the keys, of one window where it is windowed; null where they are on none. */
  readonly grid: TokenLayout | null;
}

/** How the probabilities of a block were got: they stand in the graph, or were rebuilt beside an operator that hides them. */
export type ProbabilitiesFrom = 'graph' | 'rebuilt';

/** One attention block for an input. */
export interface AttentionBlockFacts {
  readonly id: string;
  readonly layer: string;
  readonly kind: AttentionKind;
  /** Also where the values show it and the graph did not tell. */
  readonly causal: boolean;
  readonly heads: number;
  readonly keyHeads: number | null;
  /** Images, times windows. */
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly queryGrid: TokenLayout | null;
  readonly keyGrid: TokenLayout | null;
  /** Windowed attention: the grid that the windows are cut from; `attentionMatrices` says which place each query has. */
  readonly windowsOf: TokenLayout | null;
  readonly from: ProbabilitiesFrom;
  /** Rebuilt: largest difference from the operator's own output, as a share of its largest magnitude. */
  readonly difference: number | null;
}

/** A token of the input. */
export interface TokenName {
  /** `class`, `register 1`, the text of the token, or its number. */
  readonly text: string;
  /** Special tokens and those of the prefix. */
  readonly special: boolean;
}

/** How heads are made one: their mean, their largest or smallest value. */
export type HeadFusion = 'mean' | 'max' | 'min';

// ---------------------------------------------------------------- what there is

export interface AttentionParams extends RunParams {
  /** A tokenizer file (vocab.txt or tokenizer.json, absolute path) that gives text tokens their strings. */
  readonly tokenizer?: string;
}

export interface AttentionResult extends RunRecord {
  readonly blocks: readonly AttentionBlockFacts[];
  /** Of the sequence that most blocks work on: one entry for each token in front of the grid, or for each token of a text. */
  readonly tokens: readonly TokenName[];
  /** [heads of all blocks, 5] in the order of the blocks; see `HEAD_STATISTICS`. */
  readonly statistics: Float32Array;
  readonly geometry: PictureGeometry | null;
  readonly notes: readonly string[];
}

/** Columns of `AttentionResult.statistics`; means over all queries (and images). NaN where there is no grid, or no prefix. */
export const HEAD_STATISTICS = [
  /** Entropy of a row divided by that of even weights: 0 looks at one token, 1 at all alike. */
  'entropy',
  /** Distance between query and key on the grid, weighted, in cells. */
  'distance',
  /** Share of the weight on class, distillation and register tokens. */
  'prefixShare',
  /** Largest weight of a row. */
  'maximum',
  /** Weight on the query's own token. */
  'self',
] as const;

// ---------------------------------------------------------------- values

/** Matrices of some blocks, small enough for a view. */
export interface AttentionMatricesParams extends RunParams {
  /** Ids of blocks. */
  readonly blocks: readonly string[];
  /** The image of the batch; of windowed attention all its windows are given. */
  readonly image?: number;
}

export interface AttentionMatrix {
  readonly id: string;
  /** 1 but for windowed attention. */
  readonly windows: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** Where the block's values begin in `values`, and its rows in `scales`. */
  readonly valueOffset: number;
  readonly scaleOffset: number;
  /** [windows, queries]: the place of each token in the grid that windows are cut from, −1 for padding; null without windows. */
  readonly places: Int32Array | null;
}

/** Weight = scale of the row · (byte / 255)². Of each block [windows, heads, queries, keys]. */
export interface AttentionMatricesResult extends RunRecord {
  readonly blocks: readonly AttentionMatrix[];
  readonly values: Uint8Array;
  /** [windows, heads, queries] of each block: its rows' largest weights. */
  readonly scales: Float32Array;
}

/** Where a token looks and who looks at it, in every head of every block with that many tokens; for sequences too long for their matrices. */
export interface AttentionTokenParams extends RunParams {
  readonly token: number;
  readonly image?: number;
}
export interface AttentionTokenResult extends RunRecord {
  readonly blocks: readonly {
    readonly id: string;
    readonly heads: number;
    /** [heads, keys]; empty where the token is no query of the block. */
    readonly looksAt: Float32Array;
    /** [heads, queries]; empty where the token is no key of the block. */
    readonly seenBy: Float32Array;
  }[];
}

/** Exact values of one block, for export: [batch, heads, queries, keys]. */
export interface AttentionValuesParams extends RunParams {
  /** Place of the block among `AttentionResult.blocks`. */
  readonly index: number;
  /** With the gradients of a target with respect to them. */
  readonly gradientOf?: TargetSpec;
}
export interface AttentionValuesResult extends RunRecord {
  readonly shape: readonly number[];
  readonly probabilities: Float32Array;
  readonly gradient: Float32Array | null;
  readonly gradientMs: number;
}

// ---------------------------------------------------------------- over all layers

/**
 * `raw`: heads of the last block fused; `rollout`: Abnar and Zuidema 2020; `flow`: their maximum flow; `gradient-rollout`: Chefer et al. 2021.
 */
export type AttentionMethod = 'raw' | 'rollout' | 'flow' | 'gradient-rollout';

export interface AttentionMapOptions {
  /** How heads are made one (mean). */
  readonly fusion?: HeadFusion;
  /** Rollout: share of the smallest weights of a fused matrix that is set to zero before it is used (0). */
  readonly discard?: number;
  /** Rollout and flow: adds the identity for the residual connection (true). */
  readonly residual?: boolean;
  /** `raw`: the block in question (the last of the main sequence). */
  readonly block?: string;
}

export interface AttentionMapParams extends RunParams {
  readonly method: AttentionMethod;
  /** Of `gradient-rollout`: what is differentiated. */
  readonly target: TargetSpec;
  readonly options?: AttentionMapOptions;
  /** Query whose row becomes the map; the class token, or the mean of all queries where there is none. */
  readonly token?: number;
  /** `map` leaves `matrix` empty. */
  readonly want: 'map' | 'full';
}

export interface AttentionMapResult extends RunRecord {
  readonly method: AttentionMethod;
  /** Ids of the blocks that were used, in order. */
  readonly blocks: readonly string[];
  /** Null for methods without a target. */
  readonly target: ResolvedTarget | null;
  /** [batch, queries, keys]. */
  readonly matrix: Float32Array;
  readonly matrixShape: readonly number[];
  /** [images, rows, columns]: the row as it is, on the grid where the keys have one, else [images, 1, keys]. */
  readonly map: Float32Array;
  readonly images: number;
  readonly rows: number;
  readonly columns: number;
  /** The query; null for the mean of all. */
  readonly token: number | null;
  readonly grid: TokenLayout | null;
  readonly geometry: PictureGeometry | null;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly notes: readonly string[];
  readonly gradientMs: number;
}

/** The effect of each head on a target: its score with the head's weights set to zero, and without. */
export interface HeadAblationParams extends RunParams {
  readonly target: TargetSpec;
  /** Ids of blocks; all where left out. */
  readonly blocks?: readonly string[];
}
export interface HeadAblationResult extends RunRecord {
  readonly target: ResolvedTarget;
  readonly blocks: readonly { readonly id: string; readonly heads: number }[];
  /** [heads of all blocks] in their order: the score without the head less the score with it. */
  readonly effects: Float32Array;
}
