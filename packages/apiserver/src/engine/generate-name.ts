import type { Rng } from '@tapline/base';

// Kubernetes's alphabet: no vowels and no look-alikes, so that no words come about.
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The prefix with five random characters. */
export function generateName(prefix: string, rng: Rng): string {
  let name = prefix;
  for (let count = 0; count < 5; count += 1) {
    name += alphabet[Math.floor(rng() * alphabet.length)] ?? 'b';
  }
  return name;
}
