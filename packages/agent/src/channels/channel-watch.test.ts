import { ManualClock, silentLog } from '@tapline/base';
import type { ChannelEdgeSpec, ChannelEdgeStatus } from '@tapline/resources';
import { expect, test } from 'vitest';
import { createChannelWatch } from './channel-watch.ts';

const served = [{ name: 'n1.news', spec: { channel: 'news' } as ChannelEdgeSpec }];

/** A watch whose edge has counted what it is told, a second after the other. */
function watching(figures: () => Promise<{ hits: number; misses: number }>) {
  const clock = new ManualClock();
  let status: ChannelEdgeStatus = { observedEpoch: 1 };
  const told: ChannelEdgeStatus[] = [];
  const watch = createChannelWatch({
    served: () => served,
    status: () => status,
    set(_name, change) {
      status = { ...status, ...change };
      told.push(status);
    },
    isBusy: () => false,
    program: {
      url: 'http://127.0.0.1:1',
      figures: async () =>
        ({ channels: { news: { ...(await figures()), memoryBytes: 0 } } }) as never,
    },
    jobs: { look: () => Promise.reject(new Error('nothing comes')) },
    clock,
    log: silentLog,
  });
  return {
    watch,
    told,
    recent: () => status.recent,
    stream: () => status.stream,
    async after(ms: number): Promise<void> {
      for (let passed = 0; passed < ms; passed += 100) await clock.advance(100);
    },
  };
}

test('an edge that hangs, and so tells no figures either, is looked at', async () => {
  const edge = watching(() => Promise.reject(new Error('it hangs')));
  await edge.after(6000);
  expect(edge.stream()).toEqual({ failure: 'nothing comes' });
  await edge.watch[Symbol.asyncDispose]();
});

test('what players get is told half a second after a priming, and again while it becomes more', async () => {
  let isCold = true;
  const seen = { hits: 0, misses: 0 };
  const edge = watching(() => {
    seen[isCold ? 'misses' : 'hits'] += 12;
    return Promise.resolve({ ...seen });
  });
  await edge.after(3000);
  expect(edge.recent()).toMatchObject({ ratio: 0 });
  isCold = false;
  edge.watch.own('news', { requests: 0, hits: 0 });
  edge.watch.wake();
  const before = edge.told.length;
  await edge.after(700);
  expect(edge.recent()).toMatchObject({ ratio: 1 });
  expect(edge.recent()?.seconds).toBeLessThan(0.7);
  const first = edge.recent()?.requests ?? 0;
  await edge.after(1500);
  // Twice as many of the same share say more: somebody asks for at least twenty.
  expect(edge.told.length - before).toBeGreaterThanOrEqual(2);
  expect(edge.recent()?.requests).toBeGreaterThanOrEqual(2 * first);
  await edge.watch[Symbol.asyncDispose]();
});
