import { expect, test } from 'vitest';
import type { PurgeState } from '../store/purge-table.ts';
import type { StoredHead } from '../store/stored-response.ts';
import { judgeUse, maySubstitute, type Use } from './judge-use.ts';
import { noWishes, type RequestWishes } from './request-hints.ts';

const kept: StoredHead = {
  key: 'c /a',
  status: 200,
  fields: [],
  responseTimeMs: 0,
  initialAgeMs: 0,
  lifetimeMs: 1000,
  staleWhileRevalidateMs: 500,
  staleIfErrorMs: 2000,
  mustRevalidate: false,
  alwaysRevalidate: false,
  forAuthorized: false,
  tags: [],
  generation: 0,
  part: undefined,
};

interface Case {
  readonly at: number;
  readonly head?: Partial<StoredHead>;
  readonly purged?: PurgeState;
  readonly wishes?: Partial<RequestWishes>;
  readonly authorized?: boolean;
}

test.each<[string, Use, Case]>([
  ['fresh', 'hit', { at: 999 }],
  ['stale within its grace', 'hit-and-renew', { at: 1200 }],
  ['stale beyond it', 'renew', { at: 1600 }],
  ['older by its Age', 'renew', { at: 700, head: { initialAgeMs: 900 } }],
  ['purged hard', 'miss', { at: 10, purged: 'hard' }],
  ['purged softly', 'hit-and-renew', { at: 10, purged: 'soft' }],
  ['purged softly and stale for long', 'renew', { at: 5000, purged: 'soft' }],
  ['no-cache', 'renew', { at: 10, head: { alwaysRevalidate: true } }],
  ['must-revalidate and stale', 'renew', { at: 1200, head: { mustRevalidate: true } }],
  ['for a user', 'miss', { at: 10, authorized: true }],
  ['for a user and public', 'hit', { at: 10, authorized: true, head: { forAuthorized: true } }],
  ['asked to be younger', 'renew', { at: 500, wishes: { maxAgeMs: 100 } }],
  ['asked to be fresh for longer', 'renew', { at: 500, wishes: { minFreshMs: 900 } }],
  ['allowed to be stale', 'hit', { at: 3000, wishes: { maxStaleMs: 5000 } }],
  [
    'allowed to be stale and not by itself',
    'renew',
    { at: 3000, wishes: { maxStaleMs: 5000 }, head: { mustRevalidate: true } },
  ],
])('%s: %s', (_, use, { at, head = {}, purged = 'valid', wishes = {}, authorized = false }) => {
  expect(
    judgeUse(
      { ...kept, ...head },
      { nowMs: at, purged, wishes: { ...noWishes, ...wishes }, authorized },
    ),
  ).toBe(use);
});

test('it stands in for an error while it may', () => {
  expect(maySubstitute(kept, { nowMs: 2900, purged: 'valid' })).toBe(true);
  expect(maySubstitute(kept, { nowMs: 3100, purged: 'valid' })).toBe(false);
  expect(maySubstitute(kept, { nowMs: 10, purged: 'hard' })).toBe(false);
  expect(maySubstitute({ ...kept, status: 503 }, { nowMs: 1100, purged: 'valid' })).toBe(false);
  expect(maySubstitute({ ...kept, mustRevalidate: true }, { nowMs: 1100, purged: 'valid' })).toBe(
    false,
  );
});
