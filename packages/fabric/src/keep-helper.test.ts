import { ManualClock, seededRng, silentLog } from '@tapline/base';
import { eventually } from '@tapline/testing';
import { expect, test } from 'vitest';
import { keepHelper } from './keep-helper.ts';
import { startHelper } from './start-helper.ts';

const init = { rng: seededRng(1), log: silentLog };

test('a helper that was killed is started again after its backoff, and says that it is new', async () => {
  const clock = new ManualClock();
  await using helper = keepHelper({ start: () => startHelper(), clock, ...init });
  let hints = 0;
  helper.onHint(() => (hints += 1));
  expect(await helper.read([])).toEqual({});
  for (const attempt of [1, 2]) {
    const { pid } = helper;
    const before = hints;
    const reading = helper.read([]);
    process.kill(pid, 'SIGKILL');
    await eventually('its end is seen', () => clock.pending === 1);
    // Half of the delay at least, whatever the chance: not one process after the other.
    await clock.advance(50 * 2 ** (attempt - 1) - 1);
    expect(helper.pid).toBe(pid);
    await clock.advance(100 * 2 ** (attempt - 1));
    expect(helper.pid).not.toBe(pid);
    expect(await reading).toEqual({});
    expect(hints).toBeGreaterThan(before);
  }
});

test('operations that were under way fail, and are not carried out again', async () => {
  const clock = new ManualClock();
  let started = 0;
  const start = () => {
    started += 1;
    return startHelper({ command: ['sleep', '60'] });
  };
  await using helper = keepHelper({ start, clock, ...init });
  const result = helper.execute([]).catch((error: unknown) => error);
  process.kill(helper.pid, 'SIGKILL');
  expect(await result).toMatchObject({ code: 'helper_gone' });
  expect(started).toBe(1);
});

test('disposed while it waits to start again, it starts nothing', async () => {
  const clock = new ManualClock();
  let started = 0;
  const start = () => {
    started += 1;
    return startHelper({ command: ['false'] });
  };
  const helper = keepHelper({ start, clock, ...init });
  await eventually('its end is seen', () => clock.pending === 1);
  const waiting = helper.read([]).catch((error: unknown) => error);
  await helper[Symbol.asyncDispose]();
  expect(await waiting).toMatchObject({ code: 'helper_gone' });
  expect(started).toBe(1);
});
