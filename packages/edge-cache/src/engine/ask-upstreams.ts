import { isTaplineError, TaplineError } from '@tapline/base';
import { isBlockingReload, originTarget } from '../channel/request-target.ts';
import type { OriginResponse } from '../fill/origin-client.ts';
import type { Upstream } from '../fill/origin-chooser.ts';
import { quotedTag } from '../rfc/entity-tag.ts';
import { fieldValue, type HeaderField, type HeaderFields } from '../rfc/header-fields.ts';
import { keyParts } from '../store/object-key.ts';
import type { StoredHead } from '../store/stored-response.ts';
import type { EdgeState } from './edge-state.ts';
import type { FlightInit } from './flight.ts';
import { originFields } from './origin-fields.ts';

/** RFC 9110 §15.4: those that name where it is. */
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const circular: ReadonlySet<string> = new Set(['redirect_loop', 'too_many_redirects']);

/** Asks one place after the other until one answers. */
export async function askUpstreams(state: EdgeState, init: FlightInit): Promise<OriginResponse> {
  const { channel, primary } = init;
  const { retries } = channel.settings;
  const candidates = state.chooser.candidates(channel, primary);
  let last: TaplineError | undefined;
  let tries = 0;
  for (const upstream of candidates.flatMap((one) => Array<Upstream>(retries + 1).fill(one))) {
    if (tries > candidates.length + retries) break;
    if (!upstream.breaker.allows()) {
      last ??= new TaplineError(
        'origin_unavailable',
        `origin ${upstream.url.host} failed ${channel.settings.breaker.failures} times in a row and is left alone for now`,
      );
      continue;
    }
    tries += 1;
    upstream.load += 1;
    try {
      const response = await follow(state, init, upstream);
      // A parent that is there and has lost its own origin is no reason to give up.
      if (response.status >= 502 && response.status <= 504) upstream.breaker.failed();
      else upstream.breaker.succeeded();
      if (upstream.kind === 'parent' && response.status >= 502) {
        response.body.destroy();
        continue;
      }
      return response;
    } catch (error) {
      if (isTaplineError(error) && circular.has(error.code)) {
        // It is there and answers; another one would say the same.
        upstream.breaker.succeeded();
        throw error;
      }
      upstream.breaker.failed();
      if (!isTaplineError(error)) throw error;
      last = error;
    } finally {
      upstream.load -= 1;
    }
  }
  throw last ?? new TaplineError('origin_unavailable', 'no origin answered');
}

/** Asks one place, and where the channel says so those that it points to. */
async function follow(
  state: EdgeState,
  init: FlightInit,
  { url, kind }: Upstream,
): Promise<OriginResponse> {
  const { settings } = init.channel;
  const { target } = keyParts(init.primary);
  let place: Place = {
    origin: url,
    target: kind === 'origin' ? originTarget(settings, target) : target,
  };
  const seen = new Set<string>();
  for (;;) {
    const response = await askOne(state, init, { ...place, first: seen.size === 0 });
    const next = kind === 'origin' ? redirected(init, place, response) : undefined;
    if (next === undefined) return response;
    response.body.destroy();
    seen.add(hrefOf(place));
    if (seen.has(hrefOf(next))) {
      throw new TaplineError(
        'redirect_loop',
        `origin ${url.host} redirects in a circle, over ${seen.size} addresses back to ${hrefOf(next).slice(0, 200)}`,
      );
    }
    if (seen.size > settings.redirects.follow) {
      throw new TaplineError(
        'too_many_redirects',
        `origin ${url.host} redirects more than ${settings.redirects.follow} times`,
        { hint: 'raise redirects.follow of the channel if that is meant to be' },
      );
    }
    place = next;
  }
}

interface Place {
  /** Scheme, authority, and a path that goes before the target. */
  readonly origin: URL;
  readonly target: string;
}

/** Where to ask instead; undefined where the answer is the viewer's, a redirect to elsewhere too. */
function redirected(
  { channel }: FlightInit,
  place: Place,
  response: OriginResponse,
): Place | undefined {
  const { follow: limit, hosts } = channel.settings.redirects;
  const location = fieldValue(response.fields, 'location');
  if (limit === 0 || location === undefined || !redirects.has(response.status)) return undefined;
  if (!URL.canParse(location, hrefOf(place))) return undefined;
  const next = new URL(location, hrefOf(place));
  const allowed =
    hosts.includes(next.host) || channel.origins.some(({ host }) => host === next.host);
  if (!allowed || (next.protocol !== 'http:' && next.protocol !== 'https:')) return undefined;
  return { origin: new URL(next.origin), target: next.pathname + next.search };
}

function hrefOf({ origin, target }: Place): string {
  return `${origin.origin}${origin.pathname.replace(/\/$/, '')}${target}`;
}

async function askOne(
  state: EdgeState,
  { channel, primary, fields, stored, range }: FlightInit,
  { origin, target, first }: Place & { readonly first: boolean },
): Promise<OriginResponse> {
  const { settings } = channel;
  const { timeouts } = settings;
  state.counters.fetches += 1;
  channel.counters.fetches += 1;
  // Credentials are for whom the viewer was sent to, not for where that points.
  const shown = first ? fields : fields.filter(([name]) => name !== 'authorization');
  return await state.origins.fetch({
    origin,
    method: 'GET',
    target,
    fields: originFields({
      fields: shown,
      host: (first ? settings.originHost : undefined) ?? origin.host,
      cacheName: state.name,
      forwarded: settings.forwardedFields,
      asked: [
        ...(stored === undefined ? [] : conditionsFor(stored.head)),
        ...(range === undefined ? [] : [['range', range] as const]),
      ],
    }),
    body: undefined,
    connectMs: timeouts.connectMs,
    headMs: isBlockingReload(keyParts(primary).target) ? timeouts.blockingMs : timeouts.headMs,
    idleMs: timeouts.idleMs,
    // A fetch is of all who wait for it, and of those to come: no client's leaving ends it.
    signal: state.stopping,
  });
}

function conditionsFor(head: StoredHead): HeaderFields {
  const tag = fieldValue(head.fields, 'etag');
  const modified = fieldValue(head.fields, 'last-modified');
  const conditions: HeaderField[] = [];
  if (tag !== undefined) conditions.push(['if-none-match', quotedTag(tag)]);
  if (modified !== undefined) conditions.push(['if-modified-since', modified]);
  return conditions;
}
