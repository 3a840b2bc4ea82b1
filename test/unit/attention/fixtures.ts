import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AttentionKind } from '../../../protocol/attention';
import type { Tensor } from '../../../server/src/onnx/tensor';

const folder = path.resolve(import.meta.dirname, '../../fixtures/attention');

/** A file that make.py wrote. */
export const fixture = (name: string): string => path.join(folder, name);

export interface PatternInput {
  readonly shape: readonly number[];
  readonly whole: boolean;
  readonly values: readonly number[];
}

/** A form of attention as PyTorch exports it, and what PyTorch computes. */
export interface Pattern {
  readonly name: string;
  readonly model: string;
  readonly inputs: Readonly<Record<string, PatternInput>>;
  readonly blocks: readonly {
    readonly heads: number;
    readonly keyHeads: number;
    readonly kind: AttentionKind;
    readonly causal: boolean;
    readonly shape: readonly number[];
    readonly probabilities: readonly number[];
  }[];
  readonly lookalikes: readonly string[];
}

interface Floats {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** What PyTorch, NumPy and networkx say of attention over layers. */
export interface References {
  readonly vit: {
    readonly model: string;
    readonly input: Floats;
    readonly scores: readonly number[];
    readonly probabilities: readonly number[];
    readonly gradients: readonly number[];
    readonly relevance: readonly number[];
    readonly effects: readonly number[];
    readonly rollout: Readonly<Record<'mean' | 'max' | 'min' | 'discard', readonly number[]>>;
    readonly flow: readonly number[];
    readonly statistics: readonly number[];
  };
  readonly decoder: {
    readonly model: string;
    readonly memory: Floats;
    readonly queries: Floats;
    readonly relevance: readonly number[];
  };
  readonly windowPlaces: readonly number[];
  readonly tokenizer: { readonly ids: readonly number[]; readonly texts: readonly string[] };
}

export const patterns: readonly Pattern[] = JSON.parse(
  readFileSync(fixture('patterns.json'), 'utf8'),
);
export const references: References = JSON.parse(readFileSync(fixture('references.json'), 'utf8'));

export const floats = ({ shape, values }: Floats): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});

/** What a pattern is fed. */
export const inputOf = ({ shape, whole, values }: PatternInput): Tensor =>
  whole
    ? { dtype: 'int64', shape, data: BigInt64Array.from(values, BigInt) }
    : floats({ shape, values });

/** Largest difference of two lists of the same length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Array.from(a).reduce((worst, value, at) => {
    const difference = Math.abs(value - (b[at] ?? NaN));
    return difference <= worst ? worst : difference;
  }, 0);
}
