import { test } from 'vitest';
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { openModelFile } from '../../../../server/src/files/modelFile';
import { normalOf, numeric, refOf } from './written';
import { nodeOf } from '../../shapes/smallGraphs';
import { editModel } from '../../../../server/src/onnx/editModel';
import { inferValues } from '../../../../server/src/onnx/shapes/inferShapes';
import { readTensor } from '../../../../server/src/onnx/readTensor';
import { planGradient } from '../../../../server/src/gradient/plan';
const folder = '/work/shared/models';
async function session(model: any, outputs: string[]) {
  const { bytes } = editModel(model, { outputs, keepOriginalOutputs: false, truncate: true });
  return ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'all', logSeverityLevel: 4, intraOpNumThreads: 1, extra: { session: { model_external_initializers_file_folder_path: folder } } });
}
async function grad(model: any, data: Float32Array, wrt: string, topOf: number | null) {
  const facts = inferValues(model, { readConstant: ref => readTensor(model, ref, () => { throw new Error(); }), inputShapes: new Map([['input', [1, 3, 224, 224]]]) });
  const plan = planGradient(model, facts, { target: 'output', withRespectTo: [wrt], mode: 'gradient', top: false } as any);
  const fw = await session(model, ['output', ...plan.inputs.filter(n => n !== 'input')]);
  const feeds: any = { input: new ort.Tensor('float32', data, [1, 3, 224, 224]) };
  const out = await fw.run(feeds);
  const y = numeric(out['output']);
  const best = topOf ?? y.indexOf(Math.max(...y));
  const seed = new Float32Array(1000); seed[best] = 1;
  const s = await session(plan.model, [plan.gradients.get(wrt) ?? '']);
  const all: any = { ...feeds, ...out, [plan.seed.name]: new ort.Tensor('float32', seed, [1, 1000]) };
  const r = await s.run(Object.fromEntries(s.inputNames.map(n => [n, all[n]])));
  return { best, y, g: numeric(r[plan.gradients.get(wrt) ?? '']) };
}
test('x', async () => {
  const { model } = openModelFile(folder + '/mobilenetv2-12-int8.onnx');
  for (const img of ['goldfish.jpg', 'zebra.jpg', 'flamingo.jpg', 'cat_snow.jpg']) {
  const data = new Float32Array(new Uint8Array(readFileSync('/tmp/mb_' + img + '.bin')).buffer);
  const { model: wide } = normalOf(model, { input: { dtype: 'float32' as const, shape: [1, 3, 224, 224], data } });
  const read = (name: string) => { const ref = wide.graph.initializers.get(name); if (!ref) throw new Error(name); return Number(readTensor(wide, ref, () => { throw new Error(); }).data[0]); };
  const quant = new Map(wide.graph.nodes.filter(n => n.op === 'QuantizeLinear').map(n => [n.outputs[0], n]));
  const extra: any[] = [];
  const nodes = wide.graph.nodes.map(n => {
    const q = n.op === 'DequantizeLinear' ? quant.get(n.inputs[0] ?? '') : undefined;
    if (!q) return n;
    const s = read(q.inputs[1] ?? ''), z = read(q.inputs[2] ?? '');
    const [lo, hi] = [`${n.outputs[0]}_lo`, `${n.outputs[0]}_hi`];
    extra.push(refOf(lo, { shape: [] }, [z === 0 ? 0 : -1e30]), refOf(hi, { shape: [] }, [z === 0 && Math.abs(255 * s - 6) < s / 2 ? 6 : 1e30]));
    return nodeOf(n.index, 'Clip', [q.inputs[0] ?? '', lo, hi], n.outputs);
  });
  // reshape between Q and DQ
  const float = { ...wide, graph: { ...wide.graph, nodes, initializers: new Map([...wide.graph.initializers, ...extra.map(e => [e.name, e] as const)]) } };
  for (const V of [1, 4, 7]) { (globalThis as any).VARIANT = V;
  const a = await grad(wide, data, 'input', null), b = await grad(float, data, 'input', a.best);
  const dot = (p: number[], q: number[]) => p.reduce((s, v, i) => s + v * (q[i] ?? 0), 0);
  const cos = (p: number[], q: number[]) => dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
  const out = [V, img, a.best, b.y.indexOf(Math.max(...b.y)), 'logits', cos(a.y, b.y).toFixed(4), 'input', cos(a.g, b.g).toFixed(4)];
  for (const layer of ['627_quantized', '594_quantized', '537_quantized']) {
    const dq = wide.graph.nodes.find(n => n.op === 'DequantizeLinear' && n.inputs[0] === layer)?.outputs[0] ?? '';
    const c = await grad(wide, data, dq, a.best), d = await grad(float, data, dq, a.best);
    out.push(layer, cos(c.g, d.g).toFixed(4));
  }
  process.stdout.write(out.join(' ') + '\n');
  }
  }
});
