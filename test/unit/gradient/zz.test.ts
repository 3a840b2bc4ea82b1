import { test } from 'vitest';
import { readdirSync, statSync, openSync, readSync } from 'node:fs';
import { openOnnx } from '../../../server/src/onnx/openOnnx';
import { ruleFor } from '../../../server/src/gradient/rules';
test('x', () => {
  const all = new Map<string, Set<string>>();
  for (const f of readdirSync('/work/shared/models', { recursive: true }) as string[]) {
    if (!f.endsWith('.onnx')) continue;
    const p = '/work/shared/models/' + f; const size = statSync(p).size; const fd = openSync(p, 'r');
    try {
      const m = openOnnx({ name: p, size, read: (o, l) => { const b = new Uint8Array(l); readSync(fd, b, 0, l, o); return b; } });
      for (const n of m.graph.nodes) if (!ruleFor(n) && n.op !== 'Constant') { const k = n.domain + ':' + n.op; all.set(k, (all.get(k) ?? new Set()).add(f)); }
    } catch (e) { console.log(f, String(e).slice(0, 100)); }
  }
  for (const [k, v] of all) console.log(k, [...v].slice(0, 6).join(' '));
});
