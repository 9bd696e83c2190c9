import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryFileSystem } from '@tapline/userland';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guestCaller } from '../../packages/userland/src/testing/call-guest.ts';
import { fileOperation } from './file-operations.ts';
import { onGuest } from './guest-files.ts';
import { onMachine } from './machine-files.ts';

/** `TAPLINE_USERLAND=long npx vitest run tests/userland/files.test.ts`: fifty times as many. */
const long = process.env['TAPLINE_USERLAND'] === 'long';
const runs = long ? 20_000 : 400;

test('files do what those of the machine do, errors and all', { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tapline-files-'));
  const before = process.umask(0o022);
  let count = 0;
  try {
    fc.assert(
      fc.property(fc.array(fileOperation, { minLength: 1, maxLength: 30 }), (operations) => {
        const root = join(folder, `${count++}`);
        mkdirSync(root);
        const guest = guestCaller(
          createMemoryFileSystem({ '/work': { directory: true } }, { modifiedMs: 0 }),
        );
        try {
          for (const operation of operations) {
            expect({ operation, result: onGuest(guest, operation) }).toEqual({
              operation,
              result: onMachine(root, operation),
            });
          }
        } finally {
          rmSync(root, { recursive: true, force: true });
        }
      }),
      // The same ones each time, but by command: what is found then is nobody else's to fix.
      long ? { numRuns: runs } : { numRuns: runs, seed: 1 },
    );
  } finally {
    process.umask(before);
    rmSync(folder, { recursive: true, force: true });
  }
});
