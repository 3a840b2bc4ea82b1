import { describe, expect, test } from 'vitest';
import { expectSame, type Given, type NodeCase } from './written';

const u8 = (shape: readonly number[], constant = false): Given => ({
  shape,
  dtype: 'uint8',
  constant,
});
const s8 = (shape: readonly number[], constant = false): Given => ({
  shape,
  dtype: 'int8',
  constant,
});
const s32 = (shape: readonly number[]): Given => ({ shape, dtype: 'int32', constant: true });
const scale = (...values: number[]): Given => ({
  shape: values.length === 1 ? [] : [values.length],
  values,
  constant: true,
});
const zero = (dtype: 'uint8' | 'int8', ...values: number[]): Given => ({
  shape: values.length === 1 ? [] : [values.length],
  dtype,
  values,
  constant: true,
});

/** Products of integers are exact in ONNX Runtime's kernel and in float32 here; what lies between two steps may be rounded either way. */
const ONE_STEP = { steps: 1 } as const;

const x = [u8([2, 4, 6, 5]), scale(0.02), zero('uint8', 120)] as const;
const y = [scale(0.05), zero('uint8', 100)] as const;
const perChannel = [
  s8([6, 2, 3, 3], true),
  scale(0.01, 0.02, 0.005, 0.01, 0.03, 0.01),
  zero('int8', 0, 0, 0, 0, 0, 0),
] as const;
const single = [s8([6, 2, 3, 3], true), scale(0.01), zero('int8', 3)] as const;
const convolution = { group: 2, pads: [1, 1, 0, 1], strides: [2, 1] };

describe.each([10, 12, 13, 21])('quantised layers at opset %i', opset => {
  const conv = (weights: NodeCase['inputs'], more: NodeCase['inputs'] = []): NodeCase => ({
    op: 'QLinearConv',
    domain: '',
    opset,
    inputs: [...x, ...weights, ...y, ...more],
    attributes: convolution,
  });
  const product = (a: NodeCase['inputs'], b: NodeCase['inputs']): NodeCase => ({
    op: 'QLinearMatMul',
    domain: '',
    opset,
    inputs: [...a, ...b, scale(0.5), zero('uint8', 128)],
  });
  const a = [u8([2, 3, 4]), scale(0.02), zero('uint8', 120)];
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['QLinearConv', conv([...single], [s32([6])])],
    ['QLinearConv without bias', conv([...single])],
    ['QLinearConv by channel', conv([...perChannel], [s32([6])])],
    ['QLinearMatMul', product(a, [s8([4, 3], true), scale(0.03), zero('int8', -4)])],
    [
      'QLinearMatMul by column',
      product(a, [s8([4, 3], true), scale(0.03, 0.02, 0.05), zero('int8', 0, 0, 0)]),
    ],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given, [], ONE_STEP);
  });
});

describe('com.microsoft', () => {
  const one = (
    op: string,
    shape: readonly number[],
    attributes: NodeCase['attributes'] = {},
    type: 'uint8' | 'int8' = 'uint8',
    opset = 12,
  ): NodeCase => ({
    op,
    opset,
    attributes,
    inputs: [{ shape, dtype: type }, scale(0.03), zero(type, 17), scale(0.02), zero(type, 20)],
  });
  const two = (
    op: string,
    other: readonly number[],
    type: 'uint8' | 'int8' = 'uint8',
  ): NodeCase => ({
    op,
    opset: 12,
    inputs: [
      { shape: [2, 3, 4], dtype: type },
      scale(0.02),
      zero(type, 100),
      { shape: other, dtype: type },
      scale(0.03),
      zero(type, 90),
      scale(0.06),
      zero(type, 110),
    ],
  });
  const gemm = (
    c: NodeCase['inputs'],
    result: NodeCase['inputs'],
    attributes: NodeCase['attributes'],
  ): NodeCase => ({
    op: 'QGemm',
    opset: 13,
    attributes,
    inputs: [
      u8([3, 4]),
      scale(0.02),
      zero('uint8', 120),
      s8([5, 4], true),
      scale(0.01, 0.02, 0.03, 0.01, 0.02),
      zero('int8', 0, 0, 0, 0, 0),
      ...c,
      ...result,
    ],
  });
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['QLinearAdd', two('QLinearAdd', [2, 3, 4])],
    ['QLinearAdd, broadcast', two('QLinearAdd', [4], 'int8')],
    ['QLinearMul', two('QLinearMul', [2, 3, 4])],
    ['QLinearGlobalAveragePool', one('QLinearGlobalAveragePool', [2, 3, 5, 4])],
    [
      'QLinearGlobalAveragePool, channels last',
      one('QLinearGlobalAveragePool', [2, 5, 4, 3], { channels_last: 1 }),
    ],
    [
      'QLinearAveragePool',
      one('QLinearAveragePool', [2, 3, 5, 4], {
        kernel_shape: [3, 2],
        strides: [2, 1],
        pads: [1, 0, 1, 1],
      }),
    ],
    [
      'QLinearAveragePool, channels last',
      one('QLinearAveragePool', [2, 5, 4, 3], {
        kernel_shape: [3, 2],
        channels_last: 1,
        count_include_pad: 1,
        pads: [1, 0, 1, 1],
      }),
    ],
    ['QLinearLeakyRelu', one('QLinearLeakyRelu', [2, 3, 4], { alpha: 0.25 }, 'int8')],
    ['QLinearSigmoid', one('QLinearSigmoid', [2, 3, 4])],
    [
      'QLinearSoftmax',
      {
        ...one('QLinearSoftmax', [2, 3, 4], { axis: 1, opset: 13 }),
        inputs: [u8([2, 3, 4]), scale(0.03), zero('uint8', 17), scale(1 / 256), zero('uint8', 0)],
      },
    ],
    [
      'QLinearSoftmax of old',
      {
        ...one('QLinearSoftmax', [2, 3, 4], { axis: 1, opset: 12 }),
        inputs: [u8([2, 3, 4]), scale(0.03), zero('uint8', 17), scale(1 / 256), zero('uint8', 0)],
      },
    ],
    [
      'QLinearConcat',
      {
        op: 'QLinearConcat',
        opset: 12,
        attributes: { axis: 1 },
        inputs: [
          scale(0.05),
          zero('uint8', 100),
          u8([2, 3]),
          scale(0.03),
          zero('uint8', 90),
          u8([2, 4]),
          scale(0.02),
          zero('uint8', 140),
        ],
      },
    ],
    [
      'QLinearWhere',
      {
        op: 'QLinearWhere',
        opset: 12,
        inputs: [
          { shape: [3, 1], dtype: 'bool', values: [1, 0, 1] },
          u8([3, 4]),
          scale(0.03),
          zero('uint8', 90),
          u8([4]),
          scale(0.02),
          zero('uint8', 140),
          scale(0.05),
          zero('uint8', 100),
        ],
      },
    ],
    ['QGemm', gemm([s32([5])], [scale(0.3), zero('uint8', 128)], { transB: 1, alpha: 0.7 })],
    ['QGemm without C', gemm([null], [scale(0.3), zero('uint8', 128)], { transB: 1 })],
    ['QGemm to float', gemm([s32([5])], [], { transB: 1 })],
    [
      'QLinearConv, channels last',
      {
        op: 'QLinearConv',
        opset: 12,
        inputs: [u8([2, 6, 5, 4]), scale(0.02), zero('uint8', 120), ...perChannel, ...y, s32([6])],
        attributes: { ...convolution, channels_last: 1 },
      },
    ],
    [
      'NhwcMaxPool',
      {
        op: 'NhwcMaxPool',
        opset: 12,
        inputs: [u8([2, 6, 5, 4])],
        attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
      },
    ],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given, [], ONE_STEP);
  });
});

describe('integer products', () => {
  const by = [s8([4, 3], true), scale(0.03, 0.02, 0.05)] as const;
  const cases: readonly (readonly [string, NodeCase])[] = [
    [
      'ConvInteger',
      {
        op: 'ConvInteger',
        domain: '',
        opset: 10,
        inputs: [x[0], u8([6, 2, 3, 3], true), x[2], zero('uint8', 130)],
        attributes: convolution,
      },
    ],
    [
      'ConvInteger without zero points',
      {
        op: 'ConvInteger',
        domain: '',
        opset: 13,
        inputs: [x[0], u8([6, 2, 3, 3], true)],
        attributes: convolution,
      },
    ],
    [
      'MatMulInteger',
      {
        op: 'MatMulInteger',
        domain: '',
        opset: 10,
        inputs: [u8([2, 3, 4]), s8([4, 3], true), zero('uint8', 120), zero('int8', -4)],
      },
    ],
    [
      'MatMulInteger by column',
      {
        op: 'MatMulInteger',
        domain: '',
        opset: 13,
        inputs: [u8([2, 3, 4]), s8([4, 3], true), zero('uint8', 120), zero('int8', 1, -2, 3)],
      },
    ],
    [
      'MatMulIntegerToFloat',
      {
        op: 'MatMulIntegerToFloat',
        inputs: [
          u8([2, 3, 4]),
          by[0],
          scale(0.02),
          by[1],
          zero('uint8', 120),
          null,
          { shape: [3] },
        ],
      },
    ],
    [
      'DynamicQuantizeMatMul',
      {
        op: 'DynamicQuantizeMatMul',
        inputs: [{ shape: [2, 3, 4] }, by[0], by[1], zero('int8', 0, 0, 0), { shape: [3] }],
      },
    ],
    [
      'QAttention',
      {
        op: 'QAttention',
        inputs: [
          u8([2, 5, 6]),
          s8([6, 18], true),
          { shape: [18] },
          scale(0.01),
          scale(0.01),
          { shape: [2], dtype: 'int32', values: [3, 5] },
          zero('uint8', 128),
          zero('int8', 0),
        ],
        attributes: { num_heads: 2 },
      },
    ],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given, [], ONE_STEP);
  });
});

describe('MatMulNBits', () => {
  const packed = (rows: number, bits: number, zeros: readonly Given[], block = 16): NodeCase => {
    const blocks = Math.ceil(rows / block);
    return {
      op: 'MatMulNBits',
      inputs: [
        { shape: [2, 3, rows] },
        u8([5, blocks, (block * bits) / 8], true),
        { shape: [5, blocks], constant: true },
        ...zeros,
      ],
      attributes: { K: rows, N: 5, bits, block_size: block },
    };
  };
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['4 bits', packed(48, 4, [])],
    ['4 bits, a part of the last block', packed(40, 4, [])],
    ['4 bits with zero points', packed(48, 4, [u8([5, 2], true)])],
    [
      '4 bits with zero points that are numbers',
      packed(32, 4, [{ shape: [5, 2], constant: true }]),
    ],
    ['8 bits', packed(32, 8, [u8([5, 2], true)])],
  ];
  test.each(cases)('%s', async (_, given) => {
    expect((await expectSame(given)).approximate).toBeNull();
  });
});
