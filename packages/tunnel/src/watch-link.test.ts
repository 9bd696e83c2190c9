import { expect, test } from 'vitest';
import { watchLink } from './watch-link.ts';

const limits = { keepaliveMs: 15_000, handshakeMs: 10_000 };
const quiet = { startedMs: 0, heardMs: 0, greeted: true, asked: false, doubted: false };

test.each([
  [
    { role: 'client', nowMs: 14_950 },
    { kind: 'wait', untilMs: 15_000 },
  ],
  [
    { role: 'client', nowMs: 15_000 },
    { kind: 'ask', untilMs: 30_000 },
  ],
  // A client has asked by then, so its server need not.
  [
    { role: 'server', nowMs: 15_000 },
    { kind: 'wait', untilMs: 18_800 },
  ],
  [
    { role: 'server', nowMs: 18_800 },
    { kind: 'ask', untilMs: 33_800 },
  ],
] as const)('after silence the client asks, and its server later: %j', (at, step) => {
  expect(watchLink(quiet, { ...at, limits, owesAnswer: false })).toEqual(step);
});

test('what was sent and not asked after is asked after at once, and only once', () => {
  const at = { role: 'client', limits, nowMs: 60, owesAnswer: true } as const;
  expect(watchLink(quiet, at)).toEqual({ kind: 'ask', untilMs: 15_100 });
  expect(watchLink({ ...quiet, asked: true }, at)).toEqual({ kind: 'wait', untilMs: 15_100 });
});

test('two and a half silences are doubted for a moment, then the connection is given up', () => {
  const at = { role: 'client', limits, nowMs: 37_500, owesAnswer: false } as const;
  const asked = { ...quiet, asked: true };
  expect(watchLink(asked, { ...at, nowMs: 37_400 })).toEqual({ kind: 'wait', untilMs: 37_500 });
  expect(watchLink(asked, at)).toEqual({ kind: 'doubt', untilMs: 37_600 });
  expect(watchLink({ ...asked, doubted: true }, at)).toEqual({ kind: 'give up' });
});

test('who does not greet in time is given up without a doubt', () => {
  const link = { ...quiet, greeted: false };
  const at = { role: 'server', limits, nowMs: 9000, owesAnswer: false } as const;
  expect(watchLink(link, at)).toEqual({ kind: 'wait', untilMs: 10_000 });
  expect(watchLink(link, { ...at, nowMs: 10_000 })).toEqual({ kind: 'give up' });
});
