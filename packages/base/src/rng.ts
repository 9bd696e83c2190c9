/** A number in [0, 1). Randomness as a dependency; not for secrets. */
export type Rng = () => number;

/** The platform's generator. */
export const systemRng: Rng = Math.random;

// Every platform that Tapline runs on has it.
declare const crypto: { getRandomValues(into: Uint32Array<ArrayBuffer>): void };

/** The platform's generator for secrets; what it has made is used once. */
export function createSecureRng(): Rng {
  const pool = new Uint32Array(1024);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      crypto.getRandomValues(pool);
      at = 0;
    }
    const value = pool[at] ?? 0;
    pool[at] = 0;
    at++;
    return value / 2 ** 32;
  };
}

/** A repeatable generator (mulberry32) for tests and simulations. */
export function seededRng(seed: number): Rng {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
