import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { startEdgeCache } from './start-edge-cache.ts';

const players = Array.from({ length: 8 }, (_, index) => index);

/** An origin that answers nothing until all players wait, and an edge before it. */
async function started(
  answer: (language: string, response: Parameters<Parameters<typeof startOrigin>[0]>[1]) => void,
  limits: { readonly concurrentRequests?: number } = {},
): Promise<{
  readonly ask: (language: string) => Promise<readonly [number, string, string]>;
  readonly asked: readonly string[];
  readonly open: () => void;
  readonly waiting: (count: number) => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}> {
  await using opened = new AsyncDisposableStack();
  const gate = Promise.withResolvers<void>();
  const origin = opened.use(
    await startOrigin(async (request, response) => {
      await gate.promise;
      answer(request.headers['accept-language'] ?? '', response);
    }),
  );
  const edge = opened.use(
    await startEdgeCache({
      channels: [
        channelSettings({
          name: 'c',
          origins: [origin.url],
          retries: 0,
          limits: { concurrentRequests: 0, requestsPerSecond: 0, concurrentFetches: 0, ...limits },
        }),
      ],
    }),
  );
  const owned = opened.move();
  return {
    ask: async (language) => {
      const response = await fetch(`${edge.url}/live.m3u8?_HLS_msn=1`, {
        headers: { 'accept-language': language },
      });
      const status = response.headers.get('cache-status') ?? '';
      return [response.status, await response.text(), status];
    },
    asked: origin.asked,
    open: () => gate.resolve(),
    waiting: async (count) => {
      await expect.poll(() => edge.counters.requests).toBe(count);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('all who wait get the one answer, and are counted as it was for them', async () => {
  await using tv = await started((_, response) => {
    response.setHeader('cache-control', 'max-age=60');
    response.end('new part');
  });
  const answers = players.map(() => tv.ask('de'));
  await tv.waiting(players.length);
  tv.open();
  const got = await Promise.all(answers);
  expect(got.map(([status, text]) => `${status} ${text}`)).toEqual(
    players.map(() => '200 new part'),
  );
  expect(got.filter(([, , status]) => status.includes('collapsed'))).toHaveLength(
    players.length - 1,
  );
  expect(tv.asked).toHaveLength(1);
});

test('who waited for another variant gets its own', async () => {
  await using tv = await started((language, response) => {
    response.setHeader('cache-control', 'max-age=60');
    response.setHeader('vary', 'Accept-Language');
    response.end(language);
  });
  const languages = players.map((index) => (index % 2 === 0 ? 'de' : 'en'));
  const answers = languages.map((language) => tv.ask(language));
  await tv.waiting(players.length);
  tv.open();
  expect((await Promise.all(answers)).map(([, text]) => text)).toEqual(languages);
  expect(tv.asked).toHaveLength(2);
});

test('who waited for what is for one user asks alone', async () => {
  let count = 0;
  await using tv = await started((_, response) => {
    count += 1;
    response.setHeader('cache-control', 'private');
    response.end(`for ${count}`);
  });
  const answers = players.map(() => tv.ask('de'));
  await tv.waiting(players.length);
  tv.open();
  const texts = (await Promise.all(answers)).map(([, text]) => text);
  expect(new Set(texts).size).toBe(players.length);
});

test('an origin that fails is told to all who wait, and asked once', async () => {
  await using tv = await started((_, response) => void response.destroy());
  const answers = players.map(() => tv.ask('de'));
  await tv.waiting(players.length);
  tv.open();
  expect((await Promise.all(answers)).map(([status]) => status)).toEqual(players.map(() => 502));
  expect(tv.asked).toHaveLength(1);
});

test('those beyond the limit of a channel do not wait, and those who were answered make room', async () => {
  await using tv = await started(
    (_, response) => {
      response.setHeader('cache-control', 'no-cache');
      response.end('x');
    },
    { concurrentRequests: 4 },
  );
  const answers = players.map(() => tv.ask('de'));
  await tv.waiting(players.length);
  tv.open();
  const statuses = (await Promise.all(answers)).map(([status]) => status);
  expect(statuses.filter((status) => status === 503)).toHaveLength(players.length - 4);
  const later = await Promise.all(players.slice(0, 4).map(() => tv.ask('de')));
  expect(later.map(([status]) => status)).toEqual([200, 200, 200, 200]);
});
