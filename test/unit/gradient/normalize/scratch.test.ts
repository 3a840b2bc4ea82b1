import { test } from 'vitest';
import { madeOf, run, numeric } from './written';
test('x', async () => {
  for (const causal of [0, 1]) {
    const { model, feeds } = madeOf({
      op: 'Attention',
      domain: '',
      opset: 23,
      inputs: [
        { shape: [1, 1, 3, 2] },
        { shape: [1, 1, 3, 2] },
        { shape: [1, 1, 3, 2] },
        { shape: [3, 3], dtype: 'bool', values: [0, 0, 0, 0, 0, 1, 1, 1, 1] },
      ],
      outputs: [0, 3],
      attributes: { qk_matmul_output_mode: 2, is_causal: causal },
    });
    const out = await run(model, feeds, ['y0', 'y3']);
    console.log(out.map(numeric), feeds['x2']?.data);
  }
});
