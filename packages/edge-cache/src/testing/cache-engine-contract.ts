import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { eventually } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { type ChannelSettings, channelSettings } from '../channel/channel-settings.ts';
import type { CacheEngine } from '../engine/cache-engine.ts';
import { type OriginServer, startOrigin } from './start-origin.ts';

export type StartEngine = (channels: readonly ChannelSettings[]) => Promise<CacheEngine>;

/** What every engine does, on real sockets with a real origin. */
export function cacheEngineContract(engine: string, start: StartEngine): void {
  describe(`cache engine: ${engine}`, () => {
    async function withEdge(
      answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
      use: (edge: CacheEngine, origin: OriginServer) => Promise<void>,
      settings: Partial<ChannelSettings> = {},
    ): Promise<void> {
      await using origin = await startOrigin(answer);
      await using edge = await start([
        channelSettings({ name: 'news', origins: [origin.url], ...settings }),
      ]);
      await use(edge, origin);
    }

    test('a fresh response is fetched once and has an age', async () => {
      await withEdge(
        (request, response) => {
          response.setHeader('cache-control', 'max-age=60');
          response.end(`body of ${request.url}`);
        },
        async (edge, origin) => {
          for (const target of ['/a', '/a', '/b', '/a']) {
            const response = await fetch(edge.url + target);
            expect(response.status).toBe(200);
            expect(await response.text()).toBe(`body of ${target}`);
          }
          expect(origin.asked).toEqual(['GET /a', 'GET /b']);
          const again = await fetch(`${edge.url}/a`);
          expect(Number(again.headers.get('age'))).toBeGreaterThanOrEqual(0);
          await again.text();
          // Some engines count a moment later.
          await eventually('the counts', async () => {
            const { hits, misses } = await edge.stats();
            return hits >= 3 && misses === 2;
          });
        },
      );
    });

    test('private and no-store are asked for each time', async () => {
      await withEdge(
        (request, response) => {
          response.setHeader(
            'cache-control',
            request.url === '/p' ? 'private, max-age=60' : 'no-store',
          );
          response.end('x');
        },
        async (edge, origin) => {
          for (const target of ['/p', '/p', '/n', '/n'])
            await (await fetch(edge.url + target)).text();
          expect(origin.asked).toHaveLength(4);
        },
      );
    });

    test('many who ask at once cause one fetch, and read while it comes in', async () => {
      let release: (() => void) | undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await withEdge(
        async (_, response) => {
          response.writeHead(200, { 'cache-control': 'max-age=60', 'content-length': '6' });
          response.write('abc');
          await held;
          response.end('def');
        },
        async (edge, origin) => {
          const responses = await Promise.all(
            Array.from({ length: 20 }, () => fetch(`${edge.url}/live.ts`)),
          );
          // All have their head while the origin holds the second half.
          expect(responses.every(({ status }) => status === 200)).toBe(true);
          release?.();
          const bodies = await Promise.all(responses.map((response) => response.text()));
          expect(new Set(bodies)).toEqual(new Set(['abcdef']));
          expect(origin.asked).toHaveLength(1);
        },
      );
    });

    test('variants by Vary do not mix', async () => {
      await withEdge(
        (request, response) => {
          response.setHeader('cache-control', 'max-age=60');
          response.setHeader('vary', 'accept-language');
          response.end(String(request.headers['accept-language']));
        },
        async (edge, origin) => {
          for (const language of ['de', 'en', 'de', 'en']) {
            const response = await fetch(`${edge.url}/v`, {
              headers: { 'accept-language': language },
            });
            expect(await response.text()).toBe(language);
          }
          expect(origin.asked).toHaveLength(2);
        },
      );
    });

    test('ranges are served from the whole', async () => {
      await withEdge(
        (_, response) => {
          response.setHeader('cache-control', 'max-age=60');
          response.end('0123456789');
        },
        async (edge, origin) => {
          const get = async (range: string): Promise<string> => {
            const response = await fetch(`${edge.url}/r`, { headers: { range } });
            return `${response.status} ${response.headers.get('content-range')} ${await response.text()}`;
          };
          await (await fetch(`${edge.url}/r`)).text();
          expect(await get('bytes=2-4')).toBe('206 bytes 2-4/10 234');
          expect(await get('bytes=-2')).toBe('206 bytes 8-9/10 89');
          expect(await get('bytes=20-')).toMatch(/^416 /);
          expect(origin.asked).toHaveLength(1);
        },
      );
    });

    test('a stale response is renewed by asking whether it changed', async () => {
      let changed = 0;
      await withEdge(
        (request, response) => {
          response.setHeader('cache-control', 'max-age=1, must-revalidate');
          response.setHeader('etag', '"one"');
          if (request.headers['if-none-match'] === '"one"') {
            changed += 1;
            response.writeHead(304).end();
          } else response.end('body');
        },
        async (edge) => {
          expect(await (await fetch(`${edge.url}/e`)).text()).toBe('body');
          await eventually('a renewal', async () => {
            expect(await (await fetch(`${edge.url}/e`)).text()).toBe('body');
            return changed > 0;
          });
        },
      );
    });

    test('a purge of a tag takes all that carries it and nothing else', async () => {
      let version = 0;
      await withEdge(
        (request, response) => {
          version += 1;
          response.setHeader('cache-control', 'max-age=60');
          response.setHeader('xkey', request.url === '/c' ? 'other' : 'show s1');
          response.end(String(version));
        },
        async (edge) => {
          const get = async (target: string): Promise<string> =>
            (await fetch(edge.url + target)).text();
          const before = [await get('/a'), await get('/b'), await get('/c')];
          await edge.purge({ kind: 'tag', channel: 'news', tag: 's1' }, 'hard');
          expect(await get('/c')).toBe(before[2]);
          expect(await get('/a')).not.toBe(before[0]);
          expect(await get('/b')).not.toBe(before[1]);
          const kept = await get('/a');
          await edge.purge({ kind: 'url', channel: 'news', target: '/a' }, 'hard');
          expect(await get('/a')).not.toBe(kept);
          const last = await get('/a');
          await edge.purge({ kind: 'channel', channel: 'news' }, 'hard');
          expect(await get('/a')).not.toBe(last);
        },
      );
    });

    test('after a soft purge the old one serves while the origin is away', async () => {
      let fails = false;
      await withEdge(
        (request, response) => {
          if (fails) request.socket.destroy();
          else {
            response.setHeader('cache-control', 'max-age=60');
            response.setHeader('xkey', 'show');
            response.end('old');
          }
        },
        async (edge) => {
          await (await fetch(`${edge.url}/s`)).text();
          fails = true;
          await edge.purge({ kind: 'tag', channel: 'news', tag: 'show' }, 'soft');
          for (let round = 0; round < 3; round += 1) {
            expect(await (await fetch(`${edge.url}/s`)).text()).toBe('old');
          }
        },
        { staleWhileRevalidateMs: 60_000, staleIfErrorMs: 60_000 },
      );
    });

    test('other methods pass, with their body', async () => {
      await withEdge(
        async (request, response) => {
          let body = '';
          request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          await once(request, 'end');
          response.setHeader('cache-control', 'max-age=60');
          response.end(`${request.method} ${body}`);
        },
        async (edge, origin) => {
          for (let round = 0; round < 2; round += 1) {
            const response = await fetch(`${edge.url}/u`, { method: 'PUT', body: 'hello' });
            expect(await response.text()).toBe('PUT hello');
          }
          expect(origin.asked).toEqual(['PUT /u', 'PUT /u']);
        },
      );
    });

    test('what an unsafe request changed, and what its answer names, is asked for again', async () => {
      let version = 0;
      await withEdge(
        (request, response) => {
          request.resume();
          if (request.method === 'POST') {
            const names = new URL(request.url ?? '', 'http://x').searchParams;
            for (const [name, value] of names) response.setHeader(name, value);
            response.writeHead(201).end();
            return;
          }
          version += 1;
          response.setHeader('cache-control', 'max-age=60');
          response.end(String(version));
        },
        async (edge) => {
          const get = async (target: string): Promise<string> =>
            (await fetch(edge.url + target)).text();
          const isForgotten = async (target: string, query: string): Promise<boolean> => {
            const before = await get(target);
            expect(await get(target)).toBe(before);
            await (await fetch(`${edge.url}/d/form${query}`, { method: 'POST' })).arrayBuffer();
            return (await get(target)) !== before;
          };
          expect(await isForgotten('/d/form', '')).toBe(true);
          expect(await isForgotten('/d/new?a=1', '?location=%2Fd%2Fnew%3Fa%3D1')).toBe(true);
          expect(await isForgotten('/d/near', '?content-location=near')).toBe(true);
          const own = encodeURIComponent(`${edge.url}/d/whole`);
          expect(await isForgotten('/d/whole', `?location=${own}`)).toBe(true);
          expect(
            await isForgotten('/d/else', '?location=http%3A%2F%2Fother.example%2Fd%2Felse'),
          ).toBe(false);
          expect(await isForgotten('/d/else', '?location=%2Fd%2Fother')).toBe(false);
        },
      );
    });

    test('an answer to a user is for that user', async () => {
      await withEdge(
        (request, response) => {
          response.setHeader('cache-control', 'max-age=60');
          response.end(String(request.headers.authorization));
        },
        async (edge) => {
          const users = Array.from({ length: 10 }, (_, index) => `Bearer ${index}`);
          const answers = await Promise.all(
            users.map(async (authorization) =>
              (await fetch(`${edge.url}/me`, { headers: { authorization } })).text(),
            ),
          );
          expect(answers).toEqual(users);
        },
      );
    });

    test('a client cannot make others get what its own fields asked for', async () => {
      await withEdge(
        (request, response) => {
          response.setHeader('cache-control', 'max-age=60');
          const { headers } = request;
          response.end(
            String(
              headers['x-forwarded-host'] ??
                headers['x-original-url'] ??
                headers['x-rewrite-url'] ??
                'clean',
            ),
          );
        },
        async (edge) => {
          for (const name of ['x-forwarded-host', 'x-original-url', 'x-rewrite-url']) {
            const response = await fetch(`${edge.url}/${name}`, { headers: { [name]: 'evil' } });
            expect(await response.text()).toBe('clean');
          }
        },
      );
    });

    test('who waits for a new part is held and gets the one fetch', async () => {
      await withEdge(
        (request, response) => {
          setTimeout(() => {
            response.setHeader('cache-control', 'max-age=1');
            response.end(`playlist ${request.url}`);
          }, 300);
        },
        async (edge, origin) => {
          const target = '/live.m3u8?_HLS_msn=7&_HLS_part=1';
          const answers = await Promise.all(
            Array.from({ length: 20 }, async () => {
              const response = await fetch(edge.url + target);
              expect(Number(response.headers.get('age') ?? 0)).toBeLessThanOrEqual(1);
              return await response.text();
            }),
          );
          expect(new Set(answers)).toEqual(new Set([`playlist ${target}`]));
          expect(origin.asked).toHaveLength(1);
        },
      );
    });
  });
}
