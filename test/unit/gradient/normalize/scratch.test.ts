import { test } from 'vitest';
import { readFileSync, readdirSync } from 'node:fs';
import { openModelFile } from '../../../../server/src/files/modelFile';
import { arrayOf, difference, normalOf, numeric, run } from './written';
import { halfFromFloat, floatFromHalf } from '../../../../server/src/onnx/numbers';
const num = (v: any) => v === 'inf' ? Infinity : v === '-inf' ? -Infinity : v === 'nan' ? NaN : v;
test('x', async () => {
  for (const f of readdirSync('/tmp/att').filter(f => f.endsWith('.json'))) {
    const c = JSON.parse(readFileSync('/tmp/att/' + f, 'utf8'));
    const { model } = openModelFile(c.model);
    const T = (t: any, wide: boolean): any => { const dtype = t.dtype; const v = t.values.map(num); if (dtype === 'float16') return wide ? { dtype: 'float32', shape: t.shape, data: Float32Array.from(v) } : { dtype, shape: t.shape, data: Uint16Array.from(v, halfFromFloat) }; return { dtype, shape: t.shape, data: arrayOf(dtype, v) }; };
    try {
      const feeds = Object.fromEntries(Object.entries(c.inputs).map(([k, t]) => [k, T(t, false)]));
      const wide = Object.fromEntries(Object.entries(c.inputs).map(([k, t]) => [k, T(t, true)]));
      const { model: normal, changed } = normalOf(model, feeds);
      const left = [...new Set(normal.graph.nodes.map(n => n.op))].filter(o => ['Attention', 'RotaryEmbedding', 'QLinearConv', 'QLinearMatMul', 'MatMulInteger', 'ConvInteger'].includes(o));
      const names = Object.keys(c.outputs);
      let ortDiff: any = '-';
      try { const o = await run(model, feeds, names); ortDiff = names.map((n, i) => difference(c.outputs[n].values.map(num), o[i]?.type === 'float16' ? numeric(o[i]).map(floatFromHalf) : numeric(o[i])).toExponential(1)).join(' '); } catch (e) { ortDiff = 'ORT ' + String(e).slice(0, 60); }
      const got = await run(normal, wide, names);
      const d = names.map((n, i) => difference(c.outputs[n].values.map(num), numeric(got[i])).toExponential(1));
      console.log(f, changed, left.join(), 'ours', d.join(' '), 'ort', ortDiff);
    } catch (e) { console.log(f, 'ERR', String(e).slice(0, 200)); }
  }
});
