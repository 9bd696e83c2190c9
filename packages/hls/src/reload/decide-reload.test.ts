import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lowLatencyPlaylist } from '../testing/low-latency-playlist.ts';
import { decideReload } from './decide-reload.ts';
import { nextReload } from './next-reload.ts';
import { parseReloadDirectives, withReloadDirectives } from './reload-directives.ts';

// Segments 100 to 111 of four parts each, and two parts of 112.
const live = lowLatencyPlaylist();

describe('a request', () => {
  test.each([
    ['without directives', {}, 'answer'],
    ['for what has left the playlist', { msn: 3 }, 'answer'],
    ['for a part of what has left the playlist', { msn: 3, part: 9 }, 'answer'],
    ['for the last segment', { msn: 111 }, 'answer'],
    ['for the next segment', { msn: 112 }, 'wait'],
    ['for the one after it', { msn: 113 }, 'wait'],
    ['for three ahead', { msn: 114 }, 'refuse'],
    ['for a part of the last segment', { msn: 111, part: 3 }, 'answer'],
    ['for the part after its last, the first of the next', { msn: 111, part: 4 }, 'answer'],
    ['for a part that is there', { msn: 112, part: 1 }, 'answer'],
    ['for the next part', { msn: 112, part: 2 }, 'wait'],
    ['for six parts ahead, as many as three seconds', { msn: 112, part: 7 }, 'wait'],
    ['for seven parts ahead', { msn: 112, part: 8 }, 'refuse'],
    ['for the first part of the segment after the next', { msn: 113, part: 0 }, 'wait'],
    ['for a far part of it', { msn: 113, part: 6 }, 'refuse'],
  ] as const)('%s', (_, directives, kind) => {
    expect(decideReload(live, directives).kind).toBe(kind);
  });

  test('after the end, or without blocking, is answered whatever it asks for', () => {
    const far = { msn: 9999, part: 99 };
    expect(decideReload(lowLatencyPlaylist({ ended: true }), far)).toEqual({ kind: 'answer' });
    const { serverControl: _, ...polled } = live;
    expect(decideReload(polled, far)).toEqual({ kind: 'answer' });
  });

  test('for the first part of a segment that has none waits', () => {
    const fresh = lowLatencyPlaylist({ parts: 0 });
    expect(decideReload(fresh, { msn: 111, part: 4 })).toEqual({ kind: 'wait', timeoutSeconds: 6 });
    expect(decideReload(fresh, { msn: 112, part: 0 }).kind).toBe('wait');
  });

  test('three parts ahead where parts last a second or more', () => {
    const slow = { ...live, partTarget: 1 };
    expect(decideReload(slow, { msn: 112, part: 4 }).kind).toBe('wait');
    expect(decideReload(slow, { msn: 112, part: 5 }).kind).toBe('refuse');
  });
});

test('what a client asks for next has to wait, and is there in the next version', () => {
  fc.assert(
    fc.property(fc.nat(3), fc.nat(20), (parts, segments) => {
      const now = lowLatencyPlaylist({ segments: segments + 1, parts });
      const next = nextReload(now);
      expect(next.skip).toBe('YES');
      expect(decideReload(now, next).kind).toBe('wait');
      const then =
        parts === 3
          ? lowLatencyPlaylist({ segments: segments + 2, parts: 0 })
          : lowLatencyPlaylist({ segments: segments + 1, parts: parts + 1 });
      expect(decideReload(then, next).kind).toBe('answer');
    }),
  );
});

test('what is answered once is answered ever after, until it is dropped and after that', () => {
  const directives = fc.record({ msn: fc.integer({ min: 95, max: 130 }), part: fc.nat(6) });
  fc.assert(
    fc.property(directives, fc.boolean(), (asked, whole) => {
      const question = whole ? { msn: asked.msn } : asked;
      const kinds = Array.from({ length: 100 }, (_, step) => {
        const first = 100 + Math.floor(step / 4);
        return decideReload(lowLatencyPlaylist({ first, parts: step % 4 }), question).kind;
      });
      const answered = kinds.indexOf('answer');
      expect(answered).toBeGreaterThanOrEqual(0);
      expect(new Set(kinds.slice(answered))).toEqual(new Set(['answer']));
    }),
  );
});

describe('directives', () => {
  test('are read from an address and written into one, in one order', () => {
    const url = 'https://tv.example/live.m3u8?_HLS_skip=YES&token=a%26b&_HLS_part=2&_HLS_msn=7#t';
    expect(parseReloadDirectives(url)).toEqual({ msn: 7, part: 2, skip: 'YES' });
    expect(withReloadDirectives(url, parseReloadDirectives(url))).toBe(
      'https://tv.example/live.m3u8?token=a%26b&_HLS_msn=7&_HLS_part=2&_HLS_skip=YES#t',
    );
    expect(withReloadDirectives(url, {})).toBe('https://tv.example/live.m3u8?token=a%26b#t');
  });

  test.each([
    ['/p?_HLS_part=1', /_HLS_part=1 needs _HLS_msn/],
    ['/p?_HLS_msn=-1', /_HLS_msn must be a whole number, not "-1"/],
    ['/p?_HLS_msn=1.5', /not "1.5"/],
    ['/p?_HLS_msn=99999999999999999', /_HLS_msn must be a whole number/],
    ['/p?_HLS_msn=', /not ""/],
  ])('%s is refused', (url, message) => {
    expect(() => parseReloadDirectives(url)).toThrow(
      expect.objectContaining({ code: 'reload_invalid', message: expect.stringMatching(message) }),
    );
  });

  test('any address is read or refused, and writing keeps what is not ours', () => {
    const pair = fc.constantFrom('a=1', 'b', '_HLS_msn=4', '_HLS_part=x', '_HLS_skip=no', '%', '');
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const url = `/p?${pairs.join('&')}`;
        const kept = pairs.filter((text) => text !== '' && !text.startsWith('_HLS_'));
        expect(withReloadDirectives(url, {})).toBe(
          kept.length === 0 ? '/p' : `/p?${kept.join('&')}`,
        );
      }),
    );
  });
});
