/** Two arrays as vectors. */
export interface Agreement {
  /** |got − wanted| / |wanted|. */
  readonly relativeError: number;
  readonly cosine: number;
}

/** Compares arrays of the same length; anything not finite makes both numbers NaN. */
export function agreement(got: ArrayLike<number>, wanted: ArrayLike<number>): Agreement {
  if (got.length !== wanted.length)
    throw new Error(`${got.length} elements instead of ${wanted.length}`);
  let difference = 0;
  let gotSquares = 0;
  let wantedSquares = 0;
  let product = 0;
  for (let i = 0; i < wanted.length; i++) {
    const a = got[i] ?? NaN;
    const b = wanted[i] ?? NaN;
    difference += (a - b) ** 2;
    gotSquares += a * a;
    wantedSquares += b * b;
    product += a * b;
  }
  return {
    relativeError: Math.sqrt(difference / wantedSquares),
    cosine: product / Math.sqrt(gotSquares * wantedSquares),
  };
}

/** Largest difference as a share of the largest magnitude that is wanted, and whether both have their largest value at the same place. */
export function mapAgreement(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
): { readonly difference: number; readonly samePeak: boolean } {
  if (got.length !== wanted.length)
    throw new Error(`${got.length} elements instead of ${wanted.length}`);
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < wanted.length; i++) {
    const b = wanted[i] ?? NaN;
    difference = Math.max(difference, Math.abs((got[i] ?? NaN) - b));
    scale = Math.max(scale, Math.abs(b));
  }
  return { difference: difference / scale, samePeak: peak(got) === peak(wanted) };
}

function peak(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? NaN) > (values[best] ?? NaN)) best = i;
  return best;
}
