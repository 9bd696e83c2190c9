import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryFileSystem } from '../files/memory-file-system.ts';
import { guestCaller, type GuestCaller } from '../testing/call-guest.ts';
import { systemCallNames } from './system-call-names.ts';

const files = createMemoryFileSystem(
  { '/file': { bytes: Uint8Array.of(1, 2, 3) }, '/link': { link: 'file' } },
  { modifiedMs: 0 },
);

/** Those that would end the process that makes them, or put another in its place. */
const ending = new Set(['exit', 'exit_group', 'execve', 'execveat', 'rt_sigreturn']);
const names = Object.values(systemCallNames).filter((name) => !ending.has(name));

const argument = fc.oneof(
  fc.integer({ min: -2, max: 20 }).map(BigInt),
  fc.constantFrom('room', 'room', 'room', 'below', 'beyond'),
  fc.constantFrom('/file', '/link', '/new', '/proc/self/maps', '/dev/ptmx', '..', ''),
  fc.constantFrom(-100n, 0o100n, 0o4000n, 4096n, 65_536n, 1n << 31n, 1n << 40n, (1n << 63n) - 1n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

/** `TAPLINE_USERLAND=long npx vitest run packages/userland`: a hundred times as many. */
const long = process.env['TAPLINE_USERLAND'] === 'long';
const runs = long ? 30_000 : 80;

function valueOf(guest: GuestCaller, given: bigint | string): bigint | string {
  if (given === 'room') return guest.room;
  if (given === 'below') return 0x1000n;
  if (given === 'beyond') return guest.room + 65_536n * 4n - 4n;
  return given;
}

test(
  'whatever a guest asks for, it is answered, and the host goes on',
  { timeout: 600_000 },
  () => {
    const call = fc.tuple(
      fc.constantFrom(...names),
      fc.array(argument, { minLength: 6, maxLength: 6 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
    );
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 40 }), (calls) => {
        const guest = guestCaller(files);
        for (const [name, given, content] of calls) {
          if (guest.mapped) guest.roomBytes.set(content);
          const result = guest.call(name, ...given.map((one) => valueOf(guest, one)));
          // Answers are numbers that Linux has: results, or errors down to -4095.
          expect(result > -4096 || result < -(2 ** 40)).toBe(true);
          if (guest.task.process.exitStatus !== undefined) break;
        }
        // What the machine keeps for itself was not written to, and is not the guest's.
        expect(guest.task.process.space.regions().every(({ start }) => start >= 0x200000)).toBe(
          true,
        );
      }),
      // The same ones each time, but by command: what is found then is nobody else's to fix.
      long ? { numRuns: runs } : { numRuns: runs, seed: 1 },
    );
  },
);

test('a call that there is not answers ENOSYS, and is counted', () => {
  const guest = guestCaller(files);
  expect(guest.call('vmsplice')).toBe(-38);
  expect([...guest.kernel.unknownSystemCalls.values()]).toEqual([1]);
});
