import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { channelsFirst, channelsLast } from './channelsLast';
import { CONVOLUTION } from './fusedConvolution';
import { gemm } from './fusedMatrix';
import { biasOf, dequantized, quantizationAt, quantized } from './quantizedTensors';
import { copied, type Rewrite } from './rewrite';

/** QLinearConv, and that of com.microsoft, which may have its channels last. */
export const quantizedConv: Rewrite = {
  ops: ['QLinearConv', 'com.microsoft.QLinearConv'],
  write: (n, e) => {
    const last = n.int('channels_last', 0) !== 0;
    const input = dequantized(e, n.x(0), quantizationAt(n, 1, 2));
    const weight = dequantized(e, n.x(3), quantizationAt(n, 4, 5), 0);
    const bias = n.has(8) ? biasOf(e, n.x(8), n.x(1), n.x(4)) : null;
    const x = last ? channelsFirst(e, input) : input;
    const y = e.node('Conv', [x, weight, bias], copied(n, CONVOLUTION));
    return [quantized(e, last ? channelsLast(e, y) : y, quantizationAt(n, 6, 7), n.x(0))];
  },
};

/** QLinearMatMul: scales of rows of A, of columns of B, or one each. */
export const quantizedMatMul: Rewrite = {
  ops: ['QLinearMatMul', 'com.microsoft.QLinearMatMul'],
  write: (n, e) => {
    const a = dequantized(e, n.x(0), quantizationAt(n, 1, 2), n.x(0).shape.length - 2);
    const b = dequantized(e, n.x(3), quantizationAt(n, 4, 5), n.x(3).shape.length - 1);
    return [quantized(e, e.matMul(a, b), quantizationAt(n, 6, 7), n.x(0))];
  },
};

/** com.microsoft.QGemm: α A B + C, quantised where the model gives a scale for the result. */
export const quantizedGemm: Rewrite = {
  ops: ['com.microsoft.QGemm'],
  write: (n, e) => {
    const a = dequantized(e, n.x(0), quantizationAt(n, 1, 2));
    const b = dequantized(e, n.x(3), quantizationAt(n, 4, 5), n.int('transB', 0) !== 0 ? 0 : 1);
    const factor = n.float('alpha', 1);
    // C is in units of α · scale of A · scale of B
    const c = n.has(6) ? e.scale(biasOf(e, n.x(6), n.x(1), n.x(4)), factor) : null;
    const y = gemm(e, [a, b, c], copied(n, ['alpha', 'transA', 'transB']));
    return [n.has(7) ? quantized(e, y, quantizationAt(n, 7, 8), n.x(0)) : y];
  },
};

/** An operator on one quantised tensor: x, its scale and zero point, those of the result. */
const onOne = (op: string, emit: (x: Value, n: RuleNode, e: Operators) => Value): Rewrite => ({
  ops: [`com.microsoft.${op}`],
  write: (n, e) => {
    const last = n.int('channels_last', 0) !== 0;
    const input = dequantized(e, n.x(0), quantizationAt(n, 1, 2));
    const output = emit(last ? channelsFirst(e, input) : input, n, e);
    return [quantized(e, last ? channelsLast(e, output) : output, quantizationAt(n, 3, 4), n.x(0))];
  },
});

const POOLING = ['auto_pad', 'ceil_mode', 'count_include_pad', 'kernel_shape', 'pads', 'strides'];

export const quantizedGlobalAveragePool = onOne('QLinearGlobalAveragePool', (x, _, e) =>
  e.node('GlobalAveragePool', [x]),
);
export const quantizedAveragePool = onOne('QLinearAveragePool', (x, n, e) =>
  e.node('AveragePool', [x], copied(n, POOLING)),
);
export const quantizedLeakyRelu = onOne('QLinearLeakyRelu', (x, n, e) =>
  e.node('LeakyRelu', [x], { alpha: { float: n.float('alpha', 0.01) } }),
);
export const quantizedSigmoid = onOne('QLinearSigmoid', (x, _, e) => e.node('Sigmoid', [x]));
export const quantizedSoftmax = onOne('QLinearSoftmax', (x, n, e) => softmaxOf(e, x, n));

/** Of one axis, or, as Softmax was before version 13, of all from that axis on. Either is a softmax of the last axis of some arrangement. */
function softmaxOf(e: Operators, x: Value, n: RuleNode): Value {
  const rank = x.shape.length;
  const axis = (n.int('axis', -1) + rank) % rank;
  const axes = x.shape.map((_, i) => i);
  const lastAxis = (value: Value): Value =>
    e.node('Softmax', [value], { axis: value.shape.length - 1 });
  if (n.int('opset', 13) < 13) {
    const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
    const inner = x.shape.slice(axis).reduce((a, b) => a * b, 1);
    return e.reshape(lastAxis(e.reshape(x, [outer, inner])), x.shape);
  }
  // swapping two axes undoes itself
  const swapped = axes.with(axis, rank - 1).with(rank - 1, axis);
  return e.transpose(lastAxis(e.transpose(x, swapped)), swapped);
}

/** An operator on two quantised tensors, each followed by scale and zero point, then those of the result. */
const onTwo = (op: string, emitted: string): Rewrite => ({
  ops: [`com.microsoft.${op}`],
  write: (n, e) => {
    const a = dequantized(e, n.x(0), quantizationAt(n, 1, 2));
    const b = dequantized(e, n.x(3), quantizationAt(n, 4, 5));
    return [quantized(e, e.node(emitted, [a, b]), quantizationAt(n, 6, 7), n.x(0))];
  },
});

export const quantizedAdd = onTwo('QLinearAdd', 'Add');
export const quantizedMul = onTwo('QLinearMul', 'Mul');

/** com.microsoft.QLinearConcat: scale and zero point of the result, then each tensor with its own. */
export const quantizedConcat: Rewrite = {
  ops: ['com.microsoft.QLinearConcat'],
  write: (n, e) => {
    const firsts = Array.from({ length: (n.inputCount - 2) / 3 }, (_, i) => 2 + 3 * i);
    const parts = firsts.map(i => dequantized(e, n.x(i), quantizationAt(n, i + 1, i + 2)));
    const joined = e.concat(parts, n.int('axis', 0));
    return [quantized(e, joined, quantizationAt(n, 0, 1), n.x(2))];
  },
};

/** com.microsoft.QLinearWhere: the condition, then both choices and the result with theirs. */
export const quantizedWhere: Rewrite = {
  ops: ['com.microsoft.QLinearWhere'],
  write: (n, e) => {
    const yes = dequantized(e, n.x(1), quantizationAt(n, 2, 3));
    const no = dequantized(e, n.x(4), quantizationAt(n, 5, 6));
    return [quantized(e, e.select(n.x(0), yes, no), quantizationAt(n, 7, 8), n.x(1))];
  },
};

/** com.microsoft.NhwcMaxPool, which pools integers as they are. */
export const channelsLastMaxPool: Rewrite = {
  ops: ['com.microsoft.NhwcMaxPool'],
  write: (n, e) => {
    const names = ['auto_pad', 'ceil_mode', 'dilations', 'kernel_shape', 'pads', 'strides'];
    if (e.opset < 12) return null;
    return [channelsLast(e, e.node('MaxPool', [channelsFirst(e, n.x(0))], copied(n, names)))];
  },
};
