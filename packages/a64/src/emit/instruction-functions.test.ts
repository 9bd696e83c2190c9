import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '../decode/decode.ts';
import { encodingClasses } from '../decode/encoding-classes.ts';
import { guestPageSize, pagePermission } from '../interpret/linear-memory.ts';
import { CodeCache } from './code-cache.ts';
import { GuestMachine } from './guest-machine.ts';

const code = 0x280000;
/** Registers that are bases point to somewhere in its second page. */
const data = 0x290000;
const pattern = Uint8Array.from({ length: 3 * guestPageSize }, (_, at) => at * 7);
const counter = 9;
const turns = 40;
// subs x9, x9, #1; b.ne -8; brk #0
const loop = [0xf1000529, 0x54ffffc1, 0xd4200000];
const classes = encodingClasses.filter(({ name }) =>
  /advanced simd|cryptographic|floating|load.store register|atomic|swap$|3 source|system instr/i.test(
    name,
  ),
);
const kinds =
  /^(vector-|scalar-|aes|sha-|fp-|integer-to-fp|load-store-(structures|lane|immediate|pair)$|atomic|compare-and|three-source|zero-block)/;

/** Runs a word some times, by the interpreter alone or as cold code of a program that gets hot. */
function run(
  word: number,
  how: {
    readonly seed: readonly bigint[];
    readonly hotAfter: number;
    readonly cache: CodeCache;
    readonly rounded: boolean;
  },
): string {
  const guest = new GuestMachine({
    bytes: 0x300000,
    environment: { counter: () => 0n, counterFrequency: 1n, identification: () => 0n },
    hotAfter: how.hotAfter,
    cache: how.cache,
  });
  const { memory, cpu } = guest;
  memory.protect(code, {
    length: guestPageSize,
    permissions: pagePermission.read | pagePermission.execute,
  });
  const permissions = pagePermission.read | pagePermission.write;
  memory.protect(data, { length: pattern.length, permissions });
  memory.bytesAt(data, pattern.length).set(pattern);
  for (const [at, each] of [word, ...loop].entries()) memory.write(code + at * 4, BigInt(each), 2);
  for (let at = 0; at < 32; at++) {
    cpu.setVector(at, how.seed[at] ?? 0n, how.seed[at + 32] ?? 0n);
    const value = how.seed[at + 16] ?? 0n;
    // Some of them fault.
    cpu.setX(at, at % 4 === 3 ? value : BigInt(data + guestPageSize) + (value & 0xff0n));
  }
  cpu.setX(counter, BigInt(turns));
  // Inexact is up, or not yet.
  cpu.fpsr = how.rounded ? 16 : 0;
  cpu.nzcv = 0;
  cpu.pc = BigInt(code);
  const stop = guest.run(100_000);
  const general = Array.from({ length: 32 }, (_, at) => cpu.x(at));
  const vectors = Array.from({ length: 32 }, (_, at) => cpu.lanes(at, { size: 3, lanes: 2 }));
  const bytes = Buffer.from(memory.bytesAt(data, pattern.length)).toString('latin1');
  return [stop.kind, cpu.pc, cpu.fpsr, cpu.nzcv, ...general, ...vectors.flat(), bytes].join(' ');
}

function bitsOf({ buffer }: Float64Array | Float32Array): bigint {
  return new BigUint64Array(buffer as ArrayBuffer)[0] ?? 0n;
}

test('words that are run cold do what the interpreter does', () => {
  const cache = new CodeCache();
  // Of numbers some are integers, of which sums and products are exact.
  const long = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.integer({ min: -9, max: 9 }).map((value) => bitsOf(Float64Array.of(value))),
    fc.integer({ min: -9, max: 9 }).map((value) => bitsOf(Float32Array.of(value, 1))),
  );
  const seed = fc.array(long, { minLength: 64, maxLength: 64 });
  const anyWord = fc
    .tuple(fc.constantFrom(...classes), fc.nat(2 ** 32 - 1))
    .map(([{ mask, value }, bits]) => ((bits & ~mask) | value) >>> 0)
    .filter((word) => kinds.test(decode(word)?.kind ?? ''))
    // The loop's own register is not for them.
    .filter((word) => [0, 5, 10, 16].every((at) => ((word >>> at) & 31) !== counter));
  fc.assert(
    fc.property(anyWord, seed, fc.boolean(), (word, values, rounded) => {
      const how = { seed: values, cache, rounded };
      const cold = run(word, { ...how, hotAfter: 0x7fffffff });
      expect(cold).toBe(run(word, { ...how, hotAfter: 0 }));
    }),
    { numRuns: 300, seed: 5 },
  );
});
