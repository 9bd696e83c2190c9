import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runEgress } from '../testing/run-egress.ts';
import { egressProgram } from './egress-program.ts';

const mark = fc.integer({ min: 0, max: 0xffff });

test('lets out the marks that it was made for, however many, and no other', () => {
  fc.assert(
    fc.property(fc.uniqueArray(mark, { maxLength: 600 }), mark, (marks, other) => {
      const program = egressProgram(marks);
      expect(program.length).toBeLessThanOrEqual(4096);
      for (const each of marks) expect(runEgress(program, each)).toBe(true);
      expect(runEgress(program, other)).toBe(marks.includes(other));
    }),
    { numRuns: 50 },
  );
});

test('more groups than fit are refused', () => {
  const marks = Array.from({ length: 2048 }, (_, index) => index);
  expect(() => egressProgram(marks)).toThrow(
    '2048 groups may reach one port, more than the 2047 that a filter holds',
  );
});
