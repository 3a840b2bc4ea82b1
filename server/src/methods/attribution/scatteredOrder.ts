/**
 * 0 … n−1 in an order in which every beginning covers the range evenly: by the bits of the index in reverse (van der Corput's
 * sequence), so that what is made of the first few already resembles the whole.
 */
export function scatteredOrder(n: number): readonly number[] {
  const reversed = (index: number): number => {
    let result = 0;
    for (let bit = 1, weight = 0.5; bit < n; bit *= 2, weight /= 2)
      if (index & bit) result += weight;
    return result;
  };
  return Array.from({ length: n }, (_, index) => index).sort((a, b) => reversed(a) - reversed(b));
}
