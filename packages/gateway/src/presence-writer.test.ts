import { silentLog, systemClock, systemRng } from '@tapline/base';
import { deviceResource } from '@tapline/resources';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPresenceWriter } from './presence-writer.ts';
import { startTestApi, type TestApi } from './testing/start-test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const said = fc.record({
  epoch: fc.integer({ min: 1, max: 4 }),
  connected: fc.boolean(),
  /** Which of two control planes says it. */
  writer: fc.integer({ min: 0, max: 1 }),
});

let devices = 0;

test('whatever is said in whatever order, the newest session has the last word', async () => {
  const { client } = api;
  const init = { client, clock: systemClock, rng: systemRng, log: silentLog };
  await using one = createPresenceWriter(init);
  await using two = createPresenceWriter(init);
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 8 }), async (words) => {
      const name = `d${(devices += 1)}`;
      await client.create(deviceResource, {
        metadata: { name },
        spec: { platform: 'linux/amd64', role: 'device' },
      });
      const since = new Date(0).toISOString();
      await Promise.all(
        words.map(({ epoch, connected, writer }) =>
          (writer === 0 ? one : two).write(name, { epoch, connected, since, reported: {} }),
        ),
      );
      const newest = Math.max(...words.map(({ epoch }) => epoch));
      const last = words.filter(({ epoch }) => epoch === newest);
      const { status } = await client.get(deviceResource, name);
      expect(status?.presence?.epoch).toBe(newest);
      // Of one session the end is the last word, whoever else says what; a session says it once.
      const ends = new Set(last.map(({ connected }) => connected));
      expect(ends).toContain(status?.presence?.connected);
    }),
    { numRuns: 60 },
  );
});
