import { silentLog, TaplineError } from '@tapline/base';
import { installResource } from '@tapline/resources';
import { expect, test } from 'vitest';
import { feedWithFallback } from './feed-with-fallback.ts';
import type { InstallFeed } from './install-feed.ts';

function feedOf(name: string, failure?: string): { feed: InstallFeed; asked: string[] } {
  const asked: string[] = [];
  const answer = async (what: string): Promise<void> => {
    asked.push(what);
    await Promise.resolve();
    if (failure !== undefined) throw new TaplineError(failure, name);
  };
  const feed: InstallFeed = {
    async list() {
      await answer('list');
      return { items: [], resourceVersion: name };
    },
    async *watch(_, { resourceVersion }) {
      await answer(`watch after ${resourceVersion}`);
      yield { kind: 'bookmark', resourceVersion: name };
    },
    report: () => answer('report'),
  };
  return { feed, asked };
}

async function askAll(feed: InstallFeed): Promise<void> {
  await feed.list(installResource);
  for await (const event of feed.watch(installResource, { resourceVersion: '7' })) {
    expect(event).toMatchObject({ resourceVersion: 'api' });
  }
  await feed.report({ name: 'd1.jq', uid: 'u1' }, {});
}

test.each(['call_unknown', 'tunnel_refused'])('after %s only the API is asked', async (code) => {
  const calls = feedOf('calls', code);
  const api = feedOf('api');
  const feed = feedWithFallback({ calls: calls.feed, api: api.feed, log: silentLog });
  await askAll(feed);
  await askAll(feed);
  expect(calls.asked).toEqual(['list']);
  const all = ['list', 'watch after 7', 'report'];
  expect(api.asked).toEqual([...all, ...all]);
});

test('a watch that is refused goes on by the API, from where it was', async () => {
  const api = feedOf('api');
  const calls = feedOf('calls', 'call_unknown');
  const feed = feedWithFallback({ calls: calls.feed, api: api.feed, log: silentLog });
  const heard = [];
  const watched = feed.watch(installResource, { resourceVersion: '7' });
  for await (const event of watched) heard.push(event);
  expect(heard).toEqual([{ kind: 'bookmark', resourceVersion: 'api' }]);
  expect(api.asked).toEqual(['watch after 7']);
});

test.each(['expired', 'forbidden', 'gateway_unreachable', 'epoch_stale'])(
  'what else a call fails with, as %s, is no reason',
  async (code) => {
    const calls = feedOf('calls', code);
    const api = feedOf('api');
    const feed = feedWithFallback({ calls: calls.feed, api: api.feed, log: silentLog });
    await expect(feed.list(installResource)).rejects.toMatchObject({ code });
    await expect(feed.report({ name: 'd1.jq', uid: 'u1' }, {})).rejects.toMatchObject({ code });
    const watched = feed.watch(installResource, { resourceVersion: '7' });
    await expect(watched[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code });
    expect(api.asked).toEqual([]);
  },
);
