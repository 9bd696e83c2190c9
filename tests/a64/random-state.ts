import type { Rng } from '@tapline/base';
import type { CaseRecord } from './case-record.ts';

export function randomWord(rng: Rng): number {
  return Math.floor(rng() * 2 ** 32);
}

export function randomLong(rng: Rng): bigint {
  return (BigInt(randomWord(rng)) << 32n) | BigInt(randomWord(rng));
}

export function pick<Value>(rng: Rng, values: readonly Value[]): Value {
  return values[Math.floor(rng() * values.length)] as Value;
}

const integers: readonly bigint[] = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
];

/** Zeros, the ends of the formats, infinities, NaNs of both kinds, halves between integers. */
const singles: readonly bigint[] = [
  0n,
  1n,
  0x007fffffn,
  0x00800000n,
  0x3effffffn,
  0x3f000000n,
  0x3f800000n,
  0x3fc00000n,
  0x40200000n,
  0x4b000000n,
  0x4effffffn,
  0x4f000000n,
  0x5f000000n,
  0x7f7fffffn,
  0x7f800000n,
  0x7f800001n,
  0x7fc00000n,
  0x7fd12345n,
];
const doubles: readonly bigint[] = [
  0n,
  1n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x3810000000000000n,
  0x36a0000000000000n,
  0x3fe0000000000000n,
  0x3fefffffffffffffn,
  0x3ff0000000000000n,
  0x3ff8000000000000n,
  0x41dfffffffc00000n,
  0x41e0000000000000n,
  0x43e0000000000000n,
  0x47efffffe0000000n,
  0x47f0000000000000n,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0x7ff0000000000001n,
  0x7ff8000000000000n,
  0x7ff8123456789abcn,
];

function randomGeneral(rng: Rng): bigint {
  const kind = rng();
  if (kind < 0.3) return pick(rng, integers);
  if (kind < 0.5) return BigInt(randomWord(rng));
  if (kind < 0.6) return BigInt.asUintN(64, -BigInt(randomWord(rng) >>> 16));
  return randomLong(rng);
}

function withSign(rng: Rng, value: bigint, width: bigint): bigint {
  return rng() < 0.5 ? value : value | (1n << (width - 1n));
}

/** Near one, so that sums neither vanish nor are their larger operand alone. */
function nearSingle(rng: Rng): bigint {
  const exponent = BigInt(117 + Math.floor(rng() * 40));
  return withSign(rng, (exponent << 23n) | BigInt(randomWord(rng) >>> 9), 32n);
}

function nearDouble(rng: Rng): bigint {
  const exponent = BigInt(1000 + Math.floor(rng() * 80));
  return withSign(rng, (exponent << 52n) | (randomLong(rng) >> 12n), 64n);
}

function randomSingle(rng: Rng): bigint {
  const kind = rng();
  if (kind < 0.35) return withSign(rng, pick(rng, singles), 32n);
  if (kind < 0.8) return nearSingle(rng);
  return BigInt(randomWord(rng));
}

function randomHalfVector(rng: Rng): bigint {
  const kind = rng();
  if (kind < 0.2) return pick(rng, integers);
  if (kind < 0.35) return withSign(rng, pick(rng, doubles), 64n);
  if (kind < 0.55) return nearDouble(rng);
  if (kind < 0.85) return (randomSingle(rng) << 32n) | randomSingle(rng);
  return randomLong(rng);
}

/** Fills what a record has before a case: registers and memory, but no code. */
export function randomState(record: CaseRecord, rng: Rng): void {
  const { general, vectors, window, flags, floating } = record;
  for (let index = 0; index < general.length; index++) general[index] = randomGeneral(rng);
  for (let index = 0; index < vectors.length; index++) vectors[index] = randomHalfVector(rng);
  for (let index = 0; index < window.length; index++) window[index] = randomWord(rng);
  flags[0] = BigInt(Math.floor(rng() * 16)) << 28n;
  // Half of the time inexact is up, with which translated code computes by itself.
  floating[0] =
    rng() < 0.4 ? 0 : rng() < 0.6 ? 16 : Math.floor(rng() * 32) | (rng() < 0.5 ? 0x08000000 : 0);
  floating[1] =
    (rng() < 0.5 ? 0 : Math.floor(rng() * 4) << 22) |
    (rng() < 0.2 ? 1 << 24 : 0) |
    (rng() < 0.2 ? 1 << 25 : 0) |
    (rng() < 0.1 ? 1 << 26 : 0);
}
