/** Repeatable numbers 0 ≤ x < 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A damaged copy: some bytes changed, most often near the start where headers lie; sometimes cut, lengthened or with a part repeated. */
export function mutate(bytes: Uint8Array, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  let out = Buffer.from(bytes);
  for (let count = 1 + below(8); count > 0; count--) {
    const at = random() < 0.6 ? below(Math.min(out.length, 128)) : below(out.length);
    out[at] = [0, 0xff, 0x7f, 0x80, below(256), (out[at] ?? 0) ^ (1 << below(8))][below(6)] ?? 0;
  }
  const kind = random();
  if (kind < 0.1) out = out.subarray(0, below(out.length));
  else if (kind < 0.15) out = Buffer.concat([out, out.subarray(below(out.length))]);
  else if (kind < 0.2) out.copyWithin(below(out.length), below(out.length));
  return out;
}
