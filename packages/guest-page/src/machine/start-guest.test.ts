import { ManualClock } from '@tapline/base';
import { expect, test } from 'vitest';
import type { FromMachine, GuestRun, ToMachine } from './messages.ts';
import { type GuestWorker, startGuest } from './start-guest.ts';

const run: GuestRun = {
  source: { kind: 'folder', url: 'http://page/folder/' },
  argv: ['/bin/sh'],
  env: [],
  folder: '/',
  limits: { memory: 1, machines: 1, fuel: 1, hotAfter: 1 },
};

/** A worker whose other side is the test. */
function openWorker(): {
  worker: GuestWorker;
  said: ToMachine[];
  ends: number;
  say: (m: FromMachine) => void;
} {
  const said: ToMachine[] = [];
  const listeners = new Map<string, (event: { data: FromMachine }) => void>();
  const worker: GuestWorker = {
    addEventListener: (type: string, listener: (event: never) => void) =>
      void listeners.set(type, listener as (event: { data: FromMachine }) => void),
    postMessage: (message) => void said.push(message),
    terminate: () => void state.ends++,
  };
  const state = {
    worker,
    said,
    ends: 0,
    say: (data: FromMachine) => listeners.get('message')?.({ data }),
  };
  return state;
}

test('output is taken before the guest goes on, and its end ends the worker', async () => {
  const other = openWorker();
  const shown: string[] = [];
  const guest = startGuest({
    worker: other.worker,
    run,
    clock: new ManualClock(),
    onOutput: (stream, bytes) => void shown.push(`${stream} ${bytes.length}`),
  });
  other.say({ kind: 'output', stream: 'stdout', bytes: new Uint8Array(3) });
  await Promise.resolve();
  await Promise.resolve();
  expect(shown).toEqual(['stdout 3']);
  expect(other.said.map(({ kind }) => kind)).toEqual(['start', 'ping', 'taken']);
  const end = { exitCode: 4, refused: { memory: 0, storage: 0 }, unknownSystemCalls: [] };
  other.say({ kind: 'ended', ...end });
  expect(await guest.ended).toEqual(end);
  expect(other.ends).toBe(1);
});

test('a machine that does not answer is ended, one that does is not', async () => {
  const clock = new ManualClock();
  const other = openWorker();
  const guest = startGuest({
    worker: other.worker,
    run,
    clock,
    watchdogMs: 10_000,
    onOutput: () => {},
  });
  const ended = guest.ended.catch((error: unknown) => error);
  for (let second = 0; second < 60; second += 1) {
    await clock.advance(1000);
    other.say({ kind: 'pong' });
  }
  expect(other.ends).toBe(0);
  await clock.advance(15_000);
  expect(await ended).toMatchObject({ code: 'guest_hung' });
  expect(other.ends).toBe(1);
});

test('errors of the machine keep their code and hint', async () => {
  const other = openWorker();
  const { worker } = other;
  const guest = startGuest({ worker, run, clock: new ManualClock(), onOutput: () => {} });
  other.say({ kind: 'failed', code: 'guest_memory', message: 'too much', hint: 'raise it' });
  await expect(guest.ended).rejects.toMatchObject({ code: 'guest_memory', hint: 'raise it' });
});
