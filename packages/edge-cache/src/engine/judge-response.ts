import type { ChannelSettings } from '../channel/channel-settings.ts';
import { kindOfTarget } from '../channel/request-target.ts';
import type { ContentRange } from '../rfc/byte-range.ts';
import { deltaSeconds, listedFields } from '../rfc/cache-control.ts';
import { freshnessLifetimeMs, initialAgeMs, isExplicit } from '../rfc/freshness.ts';
import { fieldLines, fieldValue, type HeaderFields } from '../rfc/header-fields.ts';
import { withoutHopByHop } from '../rfc/hop-by-hop.ts';
import { type NotStored, whyNotStored } from '../rfc/storability.ts';
import { effectiveControl } from '../rfc/targeted-control.ts';
import { varyNames } from '../rfc/vary.ts';
import type { StoredHead } from '../store/stored-response.ts';

export interface JudgedInput {
  readonly settings: ChannelSettings;
  readonly target: string;
  readonly method: string;
  readonly requestFields: HeaderFields;
  readonly status: number;
  readonly fields: HeaderFields;
  readonly requestTimeMs: number;
  readonly responseTimeMs: number;
  /** The origin held the answer on purpose: how long it took is no age. */
  readonly held: boolean;
  readonly generation: number;
  readonly part: ContentRange | undefined;
}

/** What of a response may be kept, before its variant is known; or why nothing. */
export type Judged =
  | {
      readonly kind: 'store';
      readonly head: Omit<StoredHead, 'key'>;
      readonly vary: readonly string[];
      /** Not kept, and for the one client whose request was sent on. */
      readonly once: HeaderFields;
    }
  | { readonly kind: 'pass'; readonly why: NotStored };

/** The device name that `Surrogate-Control` may address. */
export const surrogateDevice = 'tapline';

/** For one user. */
const cookies: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2']);
/** For this cache alone. */
const neverStored: ReadonlySet<string> = new Set(['age', 'surrogate-key', 'cache-tag', 'xkey']);
const maxTags = 128;
const datedSegmentMs = 60_000;

export function judgeResponse(input: JudgedInput): Judged {
  const { settings, fields, responseTimeMs, part } = input;
  const control = effectiveControl(fields, surrogateDevice);
  const status = part === undefined ? input.status : 200;
  const why = whyNotStored({ ...input, status, control });
  const defaultMs = isExplicit({ ...input, status, control })
    ? undefined
    : defaultLifetimeMs(input, control.directives.has('no-cache'));
  if (why !== undefined && !(why === 'no-freshness' && defaultMs !== undefined)) {
    return { kind: 'pass', why };
  }
  const { directives } = control;
  const dropped = new Set([
    ...listedFields(directives, 'private'),
    ...listedFields(directives, 'no-cache'),
  ]);
  const isDropped = (name: string): boolean =>
    dropped.has(name) || (cookies.has(name) && !settings.storeSetCookie);
  const passing = withoutHopByHop(fields).filter(([name]) => !neverStored.has(name));
  const alwaysRevalidate =
    directives.has('no-cache') && listedFields(directives, 'no-cache').length === 0;
  const strict = directives.has('must-revalidate') || directives.has('proxy-revalidate');
  const shared = directives.has('s-maxage');
  const stale = (name: string, fallbackMs: number): number => {
    if (strict || alwaysRevalidate) return 0;
    const seconds = deltaSeconds(directives, name);
    // RFC 9111 §5.2.2.10: s-maxage forbids staleness that the response does not allow itself.
    return seconds === undefined ? (shared ? 0 : fallbackMs) : seconds * 1000;
  };
  return {
    kind: 'store',
    vary: varyNames(fields),
    once: passing.filter(([name]) => isDropped(name)),
    head: {
      status: input.status,
      fields: [
        ...passing.filter(([name]) => !isDropped(name)),
        ...(settings.anySite && fieldValue(fields, 'access-control-allow-origin') === undefined
          ? [['access-control-allow-origin', '*'] as const]
          : []),
      ],
      responseTimeMs,
      initialAgeMs: initialAgeMs(fields, {
        responseTimeMs,
        delayMs: input.held ? 0 : responseTimeMs - input.requestTimeMs,
      }),
      lifetimeMs: defaultMs ?? freshnessLifetimeMs({ ...input, status, control }),
      staleWhileRevalidateMs: stale('stale-while-revalidate', settings.staleWhileRevalidateMs),
      staleIfErrorMs: stale('stale-if-error', settings.staleIfErrorMs),
      mustRevalidate: strict || alwaysRevalidate,
      alwaysRevalidate,
      forAuthorized: ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name)),
      tags: tagsOf(fields),
      generation: input.generation,
      part,
    },
  };
}

function defaultLifetimeMs(input: JudgedInput, noCache: boolean): number | undefined {
  const { status, settings, target } = input;
  if (noCache) return undefined;
  if (status === 404 || status === 410 || status >= 500) {
    return settings.defaults.negativeMs === 0 ? undefined : settings.defaults.negativeMs;
  }
  if (status !== 200 && status !== 206) return undefined;
  const kind = kindOfTarget(target);
  if (kind === 'playlist') return settings.defaults.playlistMs;
  if (kind === 'segment') return segmentLifetimeMs(input);
  return undefined;
}

/**
 * A segment does not change, but an encoder that starts again may use its name for another: where there
 * is a date, it is asked whether it is still that one, though not while players are at it.
 */
function segmentLifetimeMs(input: JudgedInput): number {
  const { settings, fields } = input;
  const { segmentMs } = settings.defaults;
  if (fieldValue(fields, 'last-modified') === undefined) return segmentMs;
  const control = effectiveControl(fields, surrogateDevice);
  const heuristicMs = freshnessLifetimeMs({ ...input, control });
  return Math.max(heuristicMs, Math.min(segmentMs, datedSegmentMs));
}

/** `Surrogate-Key` and `xkey` part tags by spaces, `Cache-Tag` by commas. */
function tagsOf(fields: HeaderFields): readonly string[] {
  const tags = new Set<string>();
  for (const name of ['surrogate-key', 'xkey', 'cache-tag']) {
    for (const line of fieldLines(fields, name)) {
      for (const tag of line.split(name === 'cache-tag' ? ',' : /\s+/)) {
        if (tag.trim() !== '' && tags.size < maxTags) tags.add(tag.trim());
      }
    }
  }
  return [...tags];
}
