import type { Rng } from '@tapline/base';

/** Draws ranks from 0 on, each as often as `1 / (rank + 1) ** exponent` says; 0 is evenly. */
export function createZipf(
  count: number,
  { exponent, rng }: { readonly exponent: number; readonly rng: Rng },
): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += (rank + 1) ** -exponent;
    sums[rank] = sum;
  }
  return () => {
    const wanted = rng() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
