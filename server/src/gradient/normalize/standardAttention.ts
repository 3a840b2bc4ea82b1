import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { added, joinHeads, repeatHeads, scoresOf, splitHeads } from './attention';
import { causal, filled, LOWEST } from './attentionMasks';
import type { Rewrite } from './rewrite';

/** Attention (since version 23), as ONNX Runtime's CPU kernel computes it. */
export const standardAttention: Rewrite = {
  ops: ['Attention'],
  write: (n, e) => {
    if (n.has(6)) return null;
    const flat = n.x(0).shape.length === 3;
    const pairs = flat ? n.int('kv_num_heads', 0) : (n.x(1).shape[1] ?? 0);
    const count = flat ? n.int('q_num_heads', 0) : (n.x(0).shape[1] ?? 0);
    if (pairs <= 0 || count <= 0 || count % pairs !== 0) return null;
    const q = flat ? splitHeads(e, n.x(0), count) : n.x(0);
    const k = grown(n, e, 4, flat ? splitHeads(e, n.x(1), pairs) : n.x(1));
    const v = grown(n, e, 5, flat ? splitHeads(e, n.x(2), pairs) : n.x(2));
    const [batch = 1, , length = 1, size = 1] = q.shape;
    const total = k.shape[2] ?? 1;
    const sizes = { batch, length, total };
    if (n.has(3) && n.x(3).shape.at(-1) !== total) return null;

    const scale = n.float('scale', 0) || 1 / Math.sqrt(size);
    const repeated = { q, k: repeatHeads(e, k, count), v: repeatHeads(e, v, count) };
    const scores = scoresOf(e, repeated, scale);
    const capped = softCapped(e, scores, n.float('softcap', 0));
    const before = n.has(4) ? (n.x(4).shape[2] ?? 0) : 0;
    const seen = n.int('is_causal', 0) !== 0 ? causal(e, sizes, before) : null;
    const mask = n.has(3) ? n.x(3) : null;
    const chosen = mask?.dtype === 'bool' ? mask : null;
    const allowed = chosen && seen ? e.and(chosen, seen) : (chosen ?? seen);
    const bias = added(e, [chosen ? null : mask, allowed && filled(e, allowed, LOWEST)]);
    const biased = bias ? e.add(capped, bias) : capped;
    const softmax = e.node('Softmax', [biased], { axis: 3 });
    // a query that may attend to no key gets zeros
    const probabilities =
      chosen && allowed ? e.mul(softmax, e.asNumber(allowed, softmax.dtype)) : softmax;
    const context = e.matMul(probabilities, repeated.v);
    const shown = [scores, capped, biased, probabilities][n.int('qk_matmul_output_mode', 0)];
    return [flat ? joinHeads(e, context) : context, k, v, shown ?? null];
  },
};

const grown = (n: RuleNode, e: Operators, past: number, fresh: Value): Value =>
  n.has(past) ? e.concat([n.x(past), fresh], 2) : fresh;

/** cap · tanh(x / cap). */
const softCapped = (e: Operators, x: Value, cap: number): Value =>
  cap === 0 ? x : e.scale(e.node('Tanh', [e.scale(x, 1 / cap)]), cap);
