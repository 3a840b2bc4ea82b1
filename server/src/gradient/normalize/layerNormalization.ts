import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import type { Rewrite } from './rewrite';

/** Version from which LayerNormalization is an operator of ai.onnx. */
const SINCE = 17;

/** A normalised tensor with the statistics that it was made with, which have size 1 on the last axis. */
interface Normalised {
  readonly output: Value;
  readonly mean: Value;
  readonly inverse: Value;
}

/** (x − mean) / √(variance + ε) · scale + bias over the last axis (Ba et al. 2016, arXiv 1607.06450). */
function layerNormalised(
  e: Operators,
  x: Value,
  scale: Value,
  bias: Value | null,
  epsilon: number,
): Normalised {
  if (e.opset >= SINCE) {
    const attributes = { axis: -1, epsilon: { float: epsilon } };
    const [output, mean, inverse] = e.outputs(
      'LayerNormalization',
      [x, scale, bias],
      attributes,
      3,
    );
    if (output && mean && inverse) return { output, mean, inverse };
  }
  const axis = x.shape.length - 1;
  const mean = e.reduceMean(x, [axis]);
  const centred = e.sub(x, mean);
  const inverse = inverseRoot(e, e.reduceMean(e.square(centred), [axis]), epsilon);
  const scaled = e.mul(e.mul(centred, inverse), scale);
  return { output: bias ? e.add(scaled, bias) : scaled, mean, inverse };
}

const inverseRoot = (e: Operators, square: Value, epsilon: number): Value =>
  e.node('Reciprocal', [e.sqrt(e.offset(square, epsilon))]);

/** The epsilon of these operators where the model does not say. */
const EPSILON = 1e-12;

/** Input + skip (+ bias): the skip may lack the batch. */
function skipped(n: RuleNode, e: Operators, bias: number): Value {
  const sum = e.add(n.x(0), n.x(1));
  return n.has(bias) ? e.add(sum, n.x(bias)) : sum;
}

/** com.microsoft.SkipLayerNormalization. */
export const skipLayerNormalization: Rewrite = {
  ops: ['com.microsoft.SkipLayerNormalization'],
  write: (n, e) => {
    const sum = skipped(n, e, 4);
    const beta = n.has(3) ? n.x(3) : null;
    const made = layerNormalised(e, sum, n.x(2), beta, n.float('epsilon', EPSILON));
    return [made.output, made.mean, made.inverse, sum];
  },
};

/** com.microsoft.SkipSimplifiedLayerNormalization: x / √(mean x² + ε) · scale (Zhang and Sennrich 2019, arXiv 1910.07467). */
export const skipSimplifiedLayerNormalization: Rewrite = {
  ops: ['com.microsoft.SkipSimplifiedLayerNormalization'],
  write: (n, e) => {
    const sum = skipped(n, e, 3);
    const axis = sum.shape.length - 1;
    const square = e.reduceMean(e.square(sum), [axis]);
    const inverse = inverseRoot(e, square, n.float('epsilon', EPSILON));
    const mean = n.gives(1) ? e.reduceMean(sum, [axis]) : null;
    return [e.mul(e.mul(sum, inverse), n.x(2)), mean, inverse, sum];
  },
};

/** com.microsoft.EmbedLayerNormalization: the sum of looked-up embeddings, normalised; and how many words the mask keeps. */
export const embedLayerNormalization: Rewrite = {
  ops: ['com.microsoft.EmbedLayerNormalization'],
  write: (n, e) => {
    const [batch = 1, length = 1] = n.x(0).shape;
    const words = e.node('Gather', [n.x(2), n.x(0)]);
    const positions = n.has(8)
      ? e.node('Gather', [n.x(3), n.x(8)])
      : e.slice(n.x(3), [0], [length], [0]);
    const placed = e.add(words, positions);
    const sum = n.has(4) && n.has(1) ? e.add(placed, e.node('Gather', [n.x(4), n.x(1)])) : placed;
    const made = layerNormalised(e, sum, n.x(5), n.x(6), n.float('epsilon', EPSILON));
    return [made.output, n.gives(1) ? wordCounts(n, e, batch) : null, sum];
  },
};

/** [batch], int32: ones of the mask [batch, S]; 0 without a mask. */
function wordCounts(n: RuleNode, e: Operators, batch: number): Value {
  if (!n.has(7)) return e.cast(e.ints(Array.from({ length: batch }, () => 0)), 'int32');
  const kept = e.cast(e.equal(n.x(7), e.cast(e.ints([1]), n.x(7).dtype)), 'float32');
  return e.cast(e.reshape(e.reduceSum(kept, [1]), [batch]), 'int32');
}
