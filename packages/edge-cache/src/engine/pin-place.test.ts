import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { startEdgeCache } from './start-edge-cache.ts';

const mebibyte = 1024 * 1024;

test.each([
  ['in memory', false],
  ['on disk, also after a restart', true],
])('what is pinned stays while others push each other out: %s', async (_, hasDisk) => {
  await using folder = await temporaryFolder();
  await using origin = await startOrigin((request, response) => {
    response.setHeader('cache-control', 'max-age=3600');
    response.setHeader('vary', 'accept-language');
    response.end(Buffer.alloc(100_000, `${request.url} `));
  });
  const start = () =>
    startEdgeCache({
      channels: [channelSettings({ name: 'c', origins: [origin.url] })],
      memoryBytes: mebibyte,
      ...(hasDisk && { disk: { directory: folder.path, capacityBytes: 8 * mebibyte } }),
    });
  const scan = async (url: string, name: string): Promise<void> => {
    // Twice, because a full disk takes in nothing that is asked for once.
    for (const round of [1, 2]) {
      for (let index = 0; index < 120; index += 1) {
        await (
          await fetch(`${url}/${name}/${index}`, { headers: { x: String(round) } })
        ).arrayBuffer();
      }
    }
  };
  const place = { channel: 'c', target: '/pinned' };
  {
    await using edge = await start();
    // Before it is there at all.
    await edge.pin(place, true);
    await (await fetch(`${edge.url}/pinned`)).arrayBuffer();
    await scan(edge.url, 'first');
    const asked = origin.asked.length;
    expect((await fetch(`${edge.url}/pinned`)).headers.get('cache-status')).toContain('hit');
    expect(origin.asked).toHaveLength(asked);
    await expect(edge.pin({ channel: 'none', target: '/x' }, true)).rejects.toMatchObject({
      code: 'bad_request',
    });
    if (!hasDisk) return;
  }
  await using again = await start();
  await scan(again.url, 'second');
  expect((await fetch(`${again.url}/pinned`)).headers.get('cache-status')).toContain('hit');
  await again.pin(place, false);
});
