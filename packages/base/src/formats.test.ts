import { describe, expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';
import { canonicalJson } from './canonical-json.ts';
import { collectBytes } from './collect-bytes.ts';
import { concatBytes } from './concat-bytes.ts';
import { defined } from './defined.ts';
import { errorMessage } from './error-message.ts';
import { formatAge } from './format-age.ts';
import { formatBytes } from './format-bytes.ts';
import { formatDuration } from './format-duration.ts';
import { isRecord } from './is-record.ts';
import { isSystemError } from './is-system-error.ts';
import { createJsonLog } from './json-log.ts';
import { ManualClock } from './manual-clock.ts';
import { seededRng } from './rng.ts';
import { isTaplineError, TaplineError } from './tapline-error.ts';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [48 * 1024 ** 2, '48 MiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0.42, '420 µs'],
  [12.34, '12.3 ms'],
  [999, '999 ms'],
  [1500, '1.50 s'],
  [90_000, '1m30s'],
  [3_661_000, '1h1m'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, '0s'],
  [-1000, '0s'],
  [59_999, '59s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [200_000, '3m20s'],
  [600_000, '10m'],
  [3 * 3_600_000 + 60_000, '3h1m'],
  [8 * 3_600_000 + 60_000, '8h'],
  [52 * 3_600_000, '2d4h'],
  [40 * 86_400_000, '40d'],
  [740 * 86_400_000, '2y10d'],
  [3000 * 86_400_000, '8y'],
  [-7_260_000, 'in 121m'],
])('%d ms ago is %s', (ms, text) => {
  const now = Date.UTC(2026, 0, 10, 12);
  expect(formatAge(new Date(now - ms).toISOString(), now)).toBe(text);
});

test('the age of what is no time is invalid', () => {
  expect(formatAge('yesterday', 0)).toBe('<invalid>');
});

test('equal values have equal canonical texts', () => {
  expect(canonicalJson({ b: [{ d: 1, c: null }], a: undefined, 9: 'x', 10: true })).toBe(
    '{"10":true,"9":"x","b":[{"c":null,"d":1}]}',
  );
});

test('fields that are undefined are dropped, others kept', () => {
  expect(Object.keys(defined({ a: 1, b: undefined, c: null, d: false }))).toEqual(['a', 'c', 'd']);
});

test('byte arrays are joined in order', () => {
  expect(concatBytes([Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)])).toEqual(
    Uint8Array.of(1, 2, 3),
  );
});

test('a stream is collected up to its limit and read no further', async () => {
  let produced = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (; produced < 5; produced += 1) yield Uint8Array.of(produced, produced);
  }
  const tooLarge = (): Error => new TaplineError('too_large', 'more than 3 bytes');
  await expect(collectBytes(chunks(), { maxBytes: 3, tooLarge })).rejects.toThrow('more than 3');
  expect(produced).toBe(1);
  produced = 3;
  expect(await collectBytes(chunks(), { maxBytes: 4, tooLarge })).toEqual(
    Uint8Array.of(3, 3, 4, 4),
  );
});

test.each([
  [{}, true],
  [[], false],
  [null, false],
  ['text', false],
])('%j is a record: %s', (value, expected) => {
  expect(isRecord(value)).toBe(expected);
});

test('a system error is known by its code', () => {
  const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' });
  expect(isSystemError(missing, 'ENOENT')).toBe(true);
  expect(isSystemError(missing, 'EEXIST')).toBe(false);
  expect(isSystemError({ code: 'ENOENT' }, 'ENOENT')).toBe(false);
});

describe('backoffMs', () => {
  test('doubles up to the maximum, with the upper half random', () => {
    const low = { baseMs: 100, maxMs: 1000, rng: () => 0 };
    expect([0, 1, 2, 3, 9].map((attempt) => backoffMs(attempt, low))).toEqual([
      50, 100, 200, 400, 500,
    ]);
    expect(backoffMs(50, { ...low, rng: () => 0.999999 })).toBeLessThanOrEqual(1000);
  });
});

test('a seeded generator repeats', () => {
  const numbers = (seed: number): number[] => Array.from({ length: 5 }, seededRng(seed));
  expect(numbers(1)).toEqual(numbers(1));
  expect(numbers(1)).not.toEqual(numbers(2));
});

test('an error keeps its code, and its text names its causes', () => {
  const cause = new Error('socket closed');
  const error = new TaplineError('unreachable', 'registry r1 did not answer', { cause });
  expect(isTaplineError(error, 'unreachable')).toBe(true);
  expect(isTaplineError(error, 'other')).toBe(false);
  expect(errorMessage(error)).toBe('registry r1 did not answer: socket closed');
});

test('a log line is one JSON object with time, level and fields; errors become text', () => {
  const lines: string[] = [];
  const log = createJsonLog({ clock: new ManualClock(0), write: (line) => lines.push(line) });
  log.debug('not shown');
  log.with({ device: 'd1' }).warn('late', { ms: 3, error: new Error('why') });
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    {
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      message: 'late',
      device: 'd1',
      ms: 3,
      error: 'why',
    },
  ]);
});
