/** Random numbers that are the same for the same seed on every machine. */
export interface RandomNumbers {
  /** Uniform in 0…1, 1 excluded. */
  uniform(): number;
  /** Normally distributed, mean 0, standard deviation 1. */
  normal(): number;
}

/** Mulberry32 (T. Ettinger, public domain), normal numbers from it by the Box-Muller transform (Annals of Mathematical Statistics 29, 1958). */
export function randomNumbers(seed: number): RandomNumbers {
  let state = seed >>> 0;
  let spare: number | null = null;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    // 1 − u is never 0, so that its logarithm is a number
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { uniform, normal };
}
