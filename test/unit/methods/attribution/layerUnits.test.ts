import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededFloats, writeModel, type NodeInput } from '../../../bench/onnxWriter';
import { floatTensor, LocalEngine } from './localEngine';
import { relativeError } from './smallNetwork';

const SHAPE = [1, 4, 5, 5];
const SCALE = 1 / 64;
const ZERO = 117;

let engine: LocalEngine;
beforeAll(() => {
  engine = new LocalEngine();
});
afterAll(() => engine.dispose());

const float = (value: number): Float32Array => Float32Array.of(value);

/** `nodes` make `numbers` of x; two scores follow that are not linear in them. */
const model = (nodes: readonly NodeInput[]): string =>
  engine.model(
    writeModel({
      nodes: [
        ...nodes,
        { op: 'Mul', inputs: ['numbers', 'numbers'], outputs: ['squares'] },
        { op: 'Mul', inputs: ['squares', 'factors'], outputs: ['weighted'] },
        { op: 'GlobalAveragePool', inputs: ['weighted'], outputs: ['pool'] },
        { op: 'Flatten', inputs: ['pool'], outputs: ['flat'] },
        { op: 'Gemm', inputs: ['flat', 'head'], outputs: ['scores'] },
      ],
      inputs: [{ name: 'x', shape: SHAPE }],
      outputs: [{ name: 'scores', shape: [1, 2] }],
      initializers: [
        { name: 'scale', shape: [], data: float(SCALE) },
        { name: 'zero', shape: [], type: 'uint8', data: Uint8Array.of(ZERO) },
        { name: 'factors', shape: SHAPE, data: seededFloats(3, 100, 1) },
        { name: 'head', shape: [4, 2], data: seededFloats(4, 8, 1) },
      ],
    }),
  );

test.each([
  'grad-cam',
  'grad-cam++',
  'layer-cam',
  'eigen-cam',
  'score-cam',
  'ablation-cam',
] as const)('%s of a quantised layer is that of the numbers that it stands for', async method => {
  const quantised = model([
    { op: 'QuantizeLinear', inputs: ['x', 'scale', 'zero'], outputs: ['codes'] },
    { op: 'DequantizeLinear', inputs: ['codes', 'scale', 'zero'], outputs: ['numbers'] },
  ]);
  const plain = model([{ op: 'Identity', inputs: ['x'], outputs: ['numbers'] }]);
  // exact in eight bits
  const values = seededFloats(6, 100, 1).map(value => Math.round(value / SCALE) * SCALE);
  const feeds = { x: engine.feed(floatTensor(SHAPE, values)) };
  const asked = { feeds, method, options: { channelsUsed: 'all' } } as const;
  const want = await engine.explain({ ...asked, model: plain, layers: ['numbers'] });
  const got = await engine.explain({ ...asked, model: quantised, layers: ['codes'] });
  expect(relativeError(got.heatmap, floatTensor(want.heatmapShape, want.heatmap))).toBeLessThan(
    1e-4,
  );
  // Eigen-CAM needs no units: its map is that of the codes, centred
  if (method !== 'eigen-cam')
    expect(
      relativeError(got.attribution, floatTensor(want.attributionShape, want.attribution)),
    ).toBeLessThan(1e-4);
});
