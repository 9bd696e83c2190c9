import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, seededRng } from '@tapline/base';
import { type Outcome, WorkQueue, type WorkQueueInit } from './work-queue.ts';

const done: Outcome = { done: true };

function queueOf(init: Partial<WorkQueueInit> & Pick<WorkQueueInit, 'run'>) {
  const clock = new ManualClock();
  return { clock, queue: new WorkQueue({ clock, rng: seededRng(1), ...init }) };
}

/** A run that ends when told to. */
function gate() {
  const gates = new Map<string, PromiseWithResolvers<Outcome>[]>();
  const started: string[] = [];
  return {
    started,
    run: (key: string): Promise<Outcome> => {
      started.push(key);
      const opened = Promise.withResolvers<Outcome>();
      gates.set(key, [...(gates.get(key) ?? []), opened]);
      return opened.promise;
    },
    open: async (key: string, outcome: Outcome = done): Promise<void> => {
      gates.get(key)?.shift()?.resolve(outcome);
      await settle();
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('WorkQueue', () => {
  it('runs a key once however often it was added while it waited', async () => {
    const { started, run, open } = gate();
    const { queue } = queueOf({ run });
    queue.add('a');
    queue.add('b');
    queue.add('b');
    await open('a');
    await open('b');
    await queue.idle();
    expect(started).toEqual(['a', 'b']);
  });

  it('runs a key again that was added while it ran, behind the others', async () => {
    const { started, run, open } = gate();
    const { queue } = queueOf({ run });
    queue.add('a');
    queue.add('b');
    queue.add('a');
    await open('a');
    await open('b');
    await open('a');
    await queue.idle();
    expect(started).toEqual(['a', 'b', 'a']);
  });

  it('keeps to the concurrency limit', async () => {
    const { started, run, open } = gate();
    const { queue } = queueOf({ run, concurrency: 2 });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    expect(started).toEqual(['a', 'b']);
    expect(queue.depth).toBe(1);
    await open('b');
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it('holds keys while paused', () => {
    const { started, run } = gate();
    const { queue } = queueOf({ run, paused: true });
    queue.add('a');
    expect(started).toEqual([]);
    queue.resume();
    expect(started).toEqual(['a']);
  });

  it('takes the earlier of two delays, and none where the key is added meanwhile', async () => {
    const { started, run, open } = gate();
    const { clock, queue } = queueOf({ run });
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 200);
    await clock.advance(49);
    expect(started).toEqual([]);
    await clock.advance(1);
    expect(started).toEqual(['a']);
    await open('a');
    queue.addAfter('a', 100);
    queue.add('a');
    await open('a');
    await clock.advance(1000);
    expect(started).toEqual(['a', 'a']);
    expect(clock.pending).toBe(0);
  });

  it('requeues with growing, jittered delays after errors and starts over after a success', async () => {
    const outcomes: (Outcome | Error)[] = [new Error('1'), new Error('2'), done, new Error('3')];
    const retries: number[] = [];
    const { clock, queue } = queueOf({
      run: async () => {
        const next = outcomes.shift() ?? done;
        if (next instanceof Error) throw next;
        return next;
      },
      onError: (_key, _error, retryAfterMs) => retries.push(retryAfterMs),
      baseBackoffMs: 100,
      maxBackoffMs: 1000,
    });
    queue.add('a');
    await clock.advance(100);
    await clock.advance(200);
    expect(outcomes).toHaveLength(1);
    queue.add('a');
    await settle();
    expect(retries).toHaveLength(3);
    const [first = 0, second = 0, third = 0] = retries;
    expect(first).toBeGreaterThanOrEqual(50);
    expect(first).toBeLessThanOrEqual(100);
    expect(second).toBeGreaterThanOrEqual(100);
    expect(second).toBeLessThanOrEqual(200);
    expect(third).toBeLessThanOrEqual(100);
  });

  it('requeues when a run asks for it', async () => {
    const { started, run, open } = gate();
    const { clock, queue } = queueOf({ run });
    queue.add('a');
    await open('a', { requeueAfterMs: 70 });
    await clock.advance(70);
    expect(started).toEqual(['a', 'a']);
  });

  it('tells running keys to end, waits for them, and takes no more', async () => {
    let finished = false;
    const { clock, queue } = queueOf({
      run: async (_key, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await settle();
        finished = true;
        return done;
      },
    });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await queue[Symbol.asyncDispose]();
    expect(finished).toBe(true);
    queue.add('d');
    await clock.advance(100);
    expect(queue.running).toBe(0);
  });

  it('never runs a key twice at once and forgets no addition', async () => {
    const action = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      afterMs: fc.nat(20),
      fails: fc.boolean(),
      takesMs: fc.nat(15),
      pauseMs: fc.nat(10),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        async (actions, concurrency) => {
          const running = new Set<string>();
          const wanted = new Map<string, number>();
          const served = new Map<string, number>();
          const behaviour = new Map<string, { fails: boolean; takesMs: number }>();
          const { clock, queue } = queueOf({
            concurrency,
            run: async (key) => {
              expect(running.has(key)).toBe(false);
              expect(running.size).toBeLessThan(concurrency);
              running.add(key);
              // What was asked for before this run began, this run serves.
              const seen = wanted.get(key) ?? 0;
              const { fails = false, takesMs = 0 } = behaviour.get(key) ?? {};
              behaviour.set(key, { fails: false, takesMs });
              await clock.sleep(takesMs);
              running.delete(key);
              if (fails) throw new Error('as told');
              served.set(key, seen);
              return done;
            },
          });
          for (const { key, afterMs, fails, takesMs, pauseMs } of actions) {
            wanted.set(key, (wanted.get(key) ?? 0) + 1);
            behaviour.set(key, { fails, takesMs });
            queue.addAfter(key, afterMs);
            await clock.advance(pauseMs);
          }
          await clock.advance(10_000);
          expect(served).toEqual(wanted);
        },
      ),
      { numRuns: 60 },
    );
  });
});
