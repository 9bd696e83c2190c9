import { type CacheDirectives, deltaSeconds, parseCacheControl } from '../rfc/cache-control.ts';
import type { HeaderFields } from '../rfc/header-fields.ts';

/** What of a request's fields matters to the cache, found in one pass. */
export interface RequestHints {
  readonly conditional: boolean;
  readonly range: string | undefined;
  readonly authorization: boolean;
  readonly cacheControl: string | undefined;
  readonly loop: string | undefined;
}

export function requestHints(fields: HeaderFields): RequestHints {
  let conditional = false;
  let authorization = false;
  let range: string | undefined;
  let cacheControl: string | undefined;
  let pragma: string | undefined;
  let loop: string | undefined;
  for (const [name, value] of fields) {
    switch (name) {
      case 'if-none-match':
      case 'if-modified-since':
        conditional = true;
        break;
      case 'range':
        range = value;
        break;
      case 'authorization':
        authorization = true;
        break;
      case 'cache-control':
        cacheControl = cacheControl === undefined ? value : `${cacheControl}, ${value}`;
        break;
      case 'pragma':
        pragma = value;
        break;
      case 'cdn-loop':
        loop = loop === undefined ? value : `${loop}, ${value}`;
        break;
    }
  }
  // RFC 9111 §5.4: Pragma counts only without Cache-Control.
  if (cacheControl === undefined && pragma?.toLowerCase().includes('no-cache') === true) {
    cacheControl = 'no-cache';
  }
  return { conditional, range, authorization, cacheControl, loop };
}

/** What a client asks of freshness, where the channel lets it. */
export interface RequestWishes {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAgeMs: number;
  readonly minFreshMs: number;
  readonly maxStaleMs: number;
}

export const noWishes: RequestWishes = {
  noStore: false,
  noCache: false,
  onlyIfCached: false,
  maxAgeMs: Number.POSITIVE_INFINITY,
  minFreshMs: 0,
  maxStaleMs: 0,
};

export function requestWishes(cacheControl: string): RequestWishes {
  const directives = parseCacheControl(cacheControl);
  const stale = directives.get('max-stale');
  return {
    noStore: directives.has('no-store'),
    noCache: directives.has('no-cache'),
    onlyIfCached: directives.has('only-if-cached'),
    maxAgeMs: milliseconds(directives, 'max-age') ?? Number.POSITIVE_INFINITY,
    minFreshMs: milliseconds(directives, 'min-fresh') ?? 0,
    // Without an argument any staleness will do.
    maxStaleMs:
      stale === true ? Number.POSITIVE_INFINITY : (milliseconds(directives, 'max-stale') ?? 0),
  };
}

function milliseconds(directives: CacheDirectives, name: string): number | undefined {
  const seconds = deltaSeconds(directives, name);
  return seconds === undefined ? undefined : seconds * 1000;
}
