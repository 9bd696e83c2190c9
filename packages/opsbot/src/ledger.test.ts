import { expect, test } from 'vitest';
import { beginEntry, claimEpoch, endEntry, type Ledger } from './ledger.ts';

const nowMs = Date.UTC(2026, 0, 1);
const entry = { remediation: 'r1', playbook: 'p', target: { kind: 'Node', name: 'n1' } } as const;
const end = { remediation: 'r1', outcome: 'Succeeded', resets: 0, epoch: 1, nowMs } as const;

test('who led before can begin nothing and end nothing', () => {
  const first = claimEpoch({}, 'one');
  const begun = beginEntry(first, entry, { epoch: 1, nowMs });
  const second = claimEpoch(begun, 'two');
  expect(second).toMatchObject({ epoch: 2, leader: 'two' });
  expect(() => beginEntry(second, { ...entry, remediation: 'r2' }, { epoch: 1, nowMs })).toThrow(
    'epoch 1 is over: two leads with epoch 2',
  );
  expect(() => endEntry(second, end)).toThrow('epoch 1 is over');
});

test('beginning and ending twice is once, and a target has one at a time', () => {
  const begun = beginEntry({ epoch: 1 }, entry, { epoch: 1, nowMs });
  expect(beginEntry(begun, entry, { epoch: 1, nowMs })).toBe(begun);
  expect(() => beginEntry(begun, { ...entry, remediation: 'r2' }, { epoch: 1, nowMs })).toThrow(
    'r1 works on it',
  );
  const over = endEntry(begun, end);
  expect(endEntry(over, end)).toBe(over);
  expect(over.running).toEqual([]);
});

test('what ended is forgotten after a day', () => {
  let ledger: Ledger = { epoch: 1 };
  for (const [at, remediation] of ['r1', 'r2'].entries()) {
    const later = nowMs + at * 90_000_000;
    ledger = beginEntry(ledger, { ...entry, remediation }, { epoch: 1, nowMs: later });
    ledger = endEntry(ledger, { ...end, remediation, nowMs: later });
  }
  expect(ledger.ended?.map(({ remediation }) => remediation)).toEqual(['r2']);
});
