import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '../decode/decode.ts';
import { encodingClasses } from '../decode/encoding-classes.ts';
import { guestPageSize, pagePermission } from '../interpret/linear-memory.ts';
import { CodeCache } from './code-cache.ts';
import { GuestMachine } from './guest-machine.ts';

const code = 0x280000;
const turns = 40;
// subs x9, x9, #1; b.ne -8; brk #0
const loop = [0xf1000529, 0x54ffffc1, 0xd4200000];
const classes = encodingClasses.filter(({ name }) =>
  /advanced simd|general|cryptographic/i.test(name),
);

/** Runs a word some times, by the interpreter alone or as cold code of a program that gets hot. */
function run(
  word: number,
  how: { readonly seed: readonly bigint[]; readonly hotAfter: number; readonly cache: CodeCache },
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
  for (const [at, each] of [word, ...loop].entries()) memory.write(code + at * 4, BigInt(each), 2);
  for (let at = 0; at < 32; at++) {
    cpu.setVector(at, how.seed[at] ?? 0n, how.seed[at + 32] ?? 0n);
    cpu.setX(at, how.seed[at + 16] ?? 0n);
  }
  cpu.setX(9, BigInt(turns));
  cpu.pc = BigInt(code);
  const stop = guest.run(100_000);
  const general = Array.from({ length: 32 }, (_, at) => cpu.x(at));
  const vectors = Array.from({ length: 32 }, (_, at) => cpu.lanes(at, { size: 3, lanes: 2 }));
  return [stop.kind, cpu.pc, cpu.fpsr, ...general, ...vectors.flat()].join(' ');
}

test('words of vectors that are run cold do what the interpreter does', () => {
  const cache = new CodeCache();
  const seed = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
    minLength: 64,
    maxLength: 64,
  });
  const anyWord = fc
    .tuple(fc.constantFrom(...classes), fc.nat(2 ** 32 - 1))
    .map(([{ mask, value }, bits]) => ((bits & ~mask) | value) >>> 0)
    .filter((word) => /^(vector-|aes|sha-)/.test(decode(word)?.kind ?? ''));
  fc.assert(
    fc.property(anyWord, seed, (word, values) => {
      const cold = run(word, { seed: values, hotAfter: 0x7fffffff, cache });
      expect(cold).toBe(run(word, { seed: values, hotAfter: 0, cache }));
    }),
    { numRuns: 300, seed: 5 },
  );
});
