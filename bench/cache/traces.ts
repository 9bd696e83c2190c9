import { type Rng, seededRng } from '@tapline/base';

/** Requests as numbers of objects, all of one size. */
export interface Trace {
  readonly name: string;
  readonly objects: number;
  readonly requests: Uint32Array;
}

/** Zipf popularity; `churn`: how often a rank goes to a new object; `scan`: share of one-time reads. */
export function zipfTrace(
  name: string,
  {
    seed,
    objects,
    count,
    exponent,
    churn,
    scan,
  }: {
    readonly seed: number;
    readonly objects: number;
    readonly count: number;
    readonly exponent: number;
    readonly churn: number;
    readonly scan: number;
  },
): Trace {
  const rng = seededRng(seed);
  const rankOf = zipfSampler(objects, exponent, rng);
  const objectAt = Uint32Array.from({ length: objects }, (_, rank) => rank);
  let next = objects;
  const requests = new Uint32Array(count);
  let scanning = 0;
  for (let at = 0; at < count; at += 1) {
    if (rng() < churn) {
      objectAt[Math.floor(rng() * objects)] = next;
      next += 1;
    }
    // A scan reads a run of objects that nobody reads again: somebody who skims an archive.
    if (scanning === 0 && rng() < scan / scanLength) scanning = scanLength;
    if (scanning > 0) {
      scanning -= 1;
      requests[at] = next;
      next += 1;
    } else requests[at] = objectAt[rankOf()] ?? 0;
  }
  return { name, objects, requests };
}

const scanLength = 500;

function zipfSampler(objects: number, exponent: number, rng: Rng): () => number {
  const sums = new Float64Array(objects);
  let sum = 0;
  for (let rank = 0; rank < objects; rank += 1) {
    sum += 1 / (rank + 1) ** exponent;
    sums[rank] = sum;
  }
  return () => {
    const wanted = rng() * sum;
    let [low, high] = [0, objects - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
