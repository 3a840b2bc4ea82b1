import { codeOf } from '../../onnx/dataTypes';
import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { CONVOLUTION } from './fusedConvolution';
import { writePacked } from './packedAttention';
import { dequantized, quantizationAt } from './quantizedTensors';
import { copied, type Rewrite } from './rewrite';

const FLOAT32 = codeOf('float32');
/** Version that DynamicQuantizeLinear came with. */
const DYNAMIC_SINCE = 11;

/**
 * ConvInteger, MatMulInteger and the casts of their int32 outputs back to float. The products are computed in float32, and the casts read those,
 * so that a gradient finds its way: none goes through an integer tensor.
 */
export function integerProducts(): readonly Rewrite[] {
  const floats = new Map<string, Value>();
  const rounded = (n: RuleNode, e: Operators, product: Value): readonly Value[] => {
    floats.set(n.node.outputs[0] ?? '', product);
    return [e.cast(e.node('Floor', [e.offset(product, 0.5)]), 'int32')];
  };
  return [
    {
      ops: ['ConvInteger'],
      write: (n, e) => {
        const inputs = [centred(n, e, 0, 2, 1), centred(n, e, 1, 3, 0)];
        return rounded(n, e, e.node('Conv', inputs, copied(n, CONVOLUTION)));
      },
    },
    {
      ops: ['MatMulInteger'],
      write: (n, e) => {
        const a = centred(n, e, 0, 2, n.x(0).shape.length - 2);
        const b = centred(n, e, 1, 3, n.x(1).shape.length - 1);
        return rounded(n, e, e.matMul(a, b));
      },
    },
    {
      ops: ['Cast'],
      write: n => {
        const product = floats.get(n.node.inputs[0] ?? '');
        return product && n.int('to', 0) === FLOAT32 ? [product] : null;
      },
    },
  ];
}

/** q − zero point as float32. */
const centred = (n: RuleNode, e: Operators, q: number, zeroPoint: number, axis: number): Value =>
  dequantized(
    e,
    n.x(q),
    {
      scale: e.floats('float32', [], [1]),
      zeroPoint: n.has(zeroPoint) ? n.x(zeroPoint) : null,
    },
    axis,
  );

/** com.microsoft.MatMulIntegerToFloat: both matrices quantised, the product not. */
export const matMulIntegerToFloat: Rewrite = {
  ops: ['com.microsoft.MatMulIntegerToFloat'],
  write: (n, e) => {
    const a = dequantized(e, n.x(0), quantizationAt(n, 2, 4), n.x(0).shape.length - 2);
    const b = dequantized(e, n.x(1), quantizationAt(n, 3, 5), n.x(1).shape.length - 1);
    const product = e.matMul(a, b);
    return [n.has(6) ? e.add(product, n.x(6)) : product];
  },
};

/** com.microsoft.DynamicQuantizeMatMul: A is quantised by its own range first. */
export const dynamicQuantizeMatMul: Rewrite = {
  ops: ['com.microsoft.DynamicQuantizeMatMul'],
  write: (n, e) => {
    if (e.opset < DYNAMIC_SINCE) return null;
    const [q, scale, zeroPoint] = e.outputs('DynamicQuantizeLinear', [n.x(0)], {}, 3);
    if (!q || !scale || !zeroPoint) return null;
    const a = dequantized(e, q, { scale, zeroPoint });
    const b = dequantized(e, n.x(1), quantizationAt(n, 2, 3), n.x(1).shape.length - 1);
    const product = e.matMul(a, b);
    return [n.has(4) ? e.add(product, n.x(4)) : product];
  },
};

/** com.microsoft.QAttention: the input and the weights of an attention quantised. */
export const quantizedAttention: Rewrite = {
  ops: ['com.microsoft.QAttention'],
  write: (n, e) =>
    writePacked(n, e, {
      input: dequantized(e, n.x(0), quantizationAt(n, 3, 6)),
      weights: dequantized(e, n.x(1), quantizationAt(n, 4, 7), 1),
      bias: n.x(2),
      mask: n.has(5) ? n.x(5) : null,
      past: n.has(8) ? n.x(8) : null,
      attentionBias: null,
    }),
};
