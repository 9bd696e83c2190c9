import { createHash } from 'node:crypto';
import { temporaryFolder } from '@tapline/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { startEdgeCache } from './start-edge-cache.ts';

const runs = Number(process.env['TAPLINE_EDGE_MIXING_RUNS'] ?? 15);

/** The one right body for a target, a language and a user; its size differs, too. */
function bodyFor(target: string, language: string, user: string): Buffer {
  const seed = createHash('sha256')
    .update(JSON.stringify([target, language, user]))
    .digest();
  return Buffer.alloc(1000 + (seed[0] ?? 0) * 97, seed);
}

const request = fc.record({
  target: fc.constantFrom('/a', '/b', '/a?x=1', '/b?x=1', '/v/a', '/v/b', '/u/a', '/n/a', '/n/b'),
  language: fc.constantFrom('de', 'en', ''),
  user: fc.constantFrom('', 'one', 'two'),
  range: fc.option(fc.tuple(fc.nat(1200), fc.nat(1200)), { nil: undefined }),
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
});
const step = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      requests: fc.array(request, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('purge' as const),
      tag: fc.constantFrom('t', 'none'),
    }),
  },
);

// Memory for a few objects only, so that they come from disk and from the origin, too.
test.each([
  ['memory alone', 256 * 1024, false],
  ['little memory and a disk', 64 * 1024, true],
])('no two keys, ranges or users are ever mixed up: %s', async (_, memoryBytes, hasDisk) => {
  await using folder = await temporaryFolder();
  await using origin = await startOrigin(async (asked, response) => {
    const target = asked.url ?? '';
    const language = target.startsWith('/v/') ? (asked.headers['accept-language'] ?? '') : '';
    const user = target.startsWith('/u/') ? (asked.headers.authorization ?? '') : '';
    const body = bodyFor(target, language, user);
    response.setHeader('xkey', 't');
    response.setHeader('cache-control', target.startsWith('/n/') ? 'private' : 'max-age=60');
    if (target.startsWith('/v/')) response.setHeader('vary', 'Accept-Language');
    // In two pieces and sometimes of unknown length, so that readers come while it fills.
    if (target.includes('x=1')) response.setHeader('content-length', body.length);
    response.write(body.subarray(0, 700));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    response.end(body.subarray(700));
  });
  await using edge = await startEdgeCache({
    channels: [channelSettings({ name: 'c', origins: [origin.url] })],
    memoryBytes,
    ...(hasDisk && { disk: { directory: folder.path, capacityBytes: 4 * 1024 * 1024 } }),
  });

  async function check(
    one: typeof request extends fc.Arbitrary<infer T> ? T : never,
  ): Promise<string> {
    const { target, language, user, range, method } = one;
    const headers: Record<string, string> = {};
    if (language !== '') headers['accept-language'] = language;
    // Node's fetch sends `*` where nothing is said.
    else headers['accept-language'] = '';
    if (user !== '') headers['authorization'] = user;
    if (range !== undefined) headers['range'] = `bytes=${Math.min(...range)}-${Math.max(...range)}`;
    const response = await fetch(edge.url + target, { method, headers });
    const got = Buffer.from(await response.arrayBuffer());
    const whole = bodyFor(
      target,
      target.startsWith('/v/') ? language : '',
      target.startsWith('/u/') ? user : '',
    );
    const from = range === undefined || response.status !== 206 ? 0 : Math.min(...range);
    const to =
      response.status === 206 && range !== undefined ? Math.max(...range) + 1 : whole.length;
    const expected = method === 'HEAD' ? Buffer.alloc(0) : whole.subarray(from, to);
    if (![200, 206].includes(response.status)) return `${target}: status ${response.status}`;
    return got.equals(expected)
      ? ''
      : `${JSON.stringify(one)}: ${got.length} bytes that are others`;
  }

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const one of steps) {
        if (one.kind === 'purge') {
          await edge.purge({ kind: 'tag', channel: 'c', tag: one.tag }, 'hard');
          continue;
        }
        const wrong = await Promise.all(one.requests.map(check));
        expect(wrong.filter((text) => text !== '')).toEqual([]);
      }
    }),
    { numRuns: runs },
  );
  expect(edge.counters.hits).toBeGreaterThan(0);
});
