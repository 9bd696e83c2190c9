import { TaplineError } from '@tapline/base';
import { parseRange } from '../rfc/byte-range.ts';
import { variantKey, varyNames } from '../rfc/vary.ts';
import type { DiskBody } from '../store/disk-body.ts';
import type { MemoryEntry } from '../store/memory-tier.ts';
import type { KeptResponse, StoredHead } from '../store/stored-response.ts';
import { answerFilling, answeredShared } from './answer-filling.ts';
import { answerKept } from './answer-kept.ts';
import type { EdgeState } from './edge-state.ts';
import {
  type Flight,
  type FlightInit,
  type FlightOutcome,
  rangeKey,
  startFlight,
} from './flight.ts';
import { judgeUse } from './judge-use.ts';
import { sendOn } from './pass-through.ts';
import type { Lookup } from './request-handler.ts';
import { noWishes, type RequestWishes, requestWishes } from './request-hints.ts';

/** How long nobody waits for another's fetch of what turned out to be for one user. */
const unsharedMs = 10_000;
/** Times that a request looks again after a fetch that turned out to be for others. */
const maxRounds = 3;

/** Answers what is not in memory, or not to be used as it is. */
export async function serveByFetch(
  state: EdgeState,
  lookup: Lookup,
  entry: MemoryEntry | undefined,
): Promise<void> {
  const { channel, hints } = lookup;
  const honoured = channel.settings.honourRequestDirectives && hints.cacheControl !== undefined;
  const wishes = honoured ? requestWishes(hints.cacheControl ?? '') : noWishes;
  const found = await findStored(state, lookup, entry);
  const use = found === undefined ? 'miss' : useOf(state, lookup, { head: found.head, wishes });
  if (found !== undefined && (use === 'hit' || use === 'hit-and-renew')) {
    const answering = answerKept(state, lookup, found, { stale: use === 'hit-and-renew' });
    if (use === 'hit-and-renew') void renewBehind(state, lookup, found);
    if (await answering) return;
  }
  if (wishes.onlyIfCached) {
    throw new TaplineError('not_kept', 'it is not kept, and the request asks for nothing else');
  }
  state.counters.misses += 1;
  channel.counters.misses += 1;
  await fetchAndAnswer(state, lookup, {
    stored: use === 'renew' ? found : undefined,
    why: found === undefined ? (entry === undefined ? 'uri-miss' : 'vary-miss') : 'stale',
    alone: wishes.noStore,
    joined: undefined,
  });
}

/** From memory, otherwise from disk, whence it comes back into memory. */
async function findStored(
  state: EdgeState,
  { primary, request, hints, channel }: Lookup,
  entry: MemoryEntry | undefined,
): Promise<KeptResponse | undefined> {
  if (entry?.kind === 'response') return entry;
  if (hints.range !== undefined && channel.settings.rangeMiss === 'forward') {
    const part = state.memory.find(rangeKey(primary, hints.range), request.fields);
    if (part?.kind === 'response') return part;
  }
  const stored = await state.disk?.find(primary, request.fields);
  // While the disk was read something newer may have come.
  const meanwhile = state.memory.find(primary, request.fields);
  if (meanwhile?.kind === 'response') return meanwhile;
  if (stored === undefined || !state.memory.holds(stored.body.length)) return stored;
  const { head, body } = stored;
  // A large one that is asked for once is sent from where it is, and pushes nothing out of memory.
  if (Buffer.isBuffer(body)) return state.memory.put(head, body) ?? stored;
  return body.uses === 0 ? stored : await taken(state, { head, body });
}

/** Takes a large body into memory. */
async function taken(
  state: EdgeState,
  { head, body }: { readonly head: StoredHead; readonly body: DiskBody },
): Promise<KeptResponse | undefined> {
  try {
    const whole = await body.whole();
    const meanwhile = state.memory.peek(head.key);
    return meanwhile ?? state.memory.put(head, whole) ?? { head, body: whole };
  } catch {
    // Damaged, which was counted, or evicted: then it is fetched.
    return undefined;
  }
}

function useOf(
  state: EdgeState,
  { channel, target, hints }: Lookup,
  { head, wishes }: { readonly head: StoredHead; readonly wishes: RequestWishes },
): ReturnType<typeof judgeUse> {
  const { name } = channel.settings;
  const { tags, generation } = head;
  const purged = state.purges.stateOf({ channel: name, target, tags, generation });
  const authorized = hints.authorization;
  return judgeUse(head, { nowMs: state.clock.now(), purged, wishes, authorized });
}

interface Wanted {
  readonly stored: KeptResponse | undefined;
  readonly why: 'uri-miss' | 'vary-miss' | 'stale';
  /** Shares its fetch with nobody. */
  readonly alone: boolean;
  /** Another's fetch that it waited for already. */
  readonly joined: Flight | undefined;
}

export async function fetchAndAnswer(
  state: EdgeState,
  lookup: Lookup,
  wanted: Wanted,
): Promise<void> {
  for (let round = 1; ; round += 1) {
    const alone = wanted.alone || round > maxRounds || mustBeAlone(state, lookup);
    const { flight, led } =
      round === 1 && wanted.joined !== undefined
        ? { flight: wanted.joined, led: false }
        : takeOff(state, lookup, { stored: wanted.stored, alone });
    const outcome = await flight.outcome;
    const again = !led && !concerns(lookup, outcome);
    if (!again) {
      if (!led) state.counters.collapsed += 1;
      return await answerOutcome(state, lookup, { outcome, led, why: wanted.why });
    }
  }
}

/** Whether another's fetch answers this request, too. */
export function concerns(
  { request, primary, hints, channel }: Lookup,
  outcome: FlightOutcome,
): boolean {
  if (outcome.kind === 'private') return false;
  if (outcome.kind === 'failed') return true;
  const { head } = outcome.kind === 'kept' ? outcome.stored : outcome;
  // The usual case, that all who wait for a playlist come through.
  if (head.part === undefined && head.key === primary) return true;
  const names = varyNames(head.fields);
  const base = head.part === undefined ? primary : rangeKey(primary, hints.range ?? '');
  if (head.part !== undefined && channel.settings.rangeMiss !== 'forward') return false;
  return head.key === (names.length === 0 ? base : `${base} ${variantKey(names, request.fields)}`);
}

/** A request that an answer for one user is likely for waits for nobody, and nobody waits for it. */
export function mustBeAlone(state: EdgeState, { primary, hints }: Lookup): boolean {
  if (hints.authorization) return true;
  const until = state.unshared.peek(primary);
  return until !== undefined && state.clock.monotonic() < until;
}

function takeOff(
  state: EdgeState,
  lookup: Lookup,
  { stored, alone }: { readonly stored: KeptResponse | undefined; readonly alone: boolean },
): { readonly flight: Flight; readonly led: boolean } {
  const { primary, channel, request, hints } = lookup;
  const range = forwardedRange(lookup);
  const key = flightKey(state, lookup, range);
  if (!alone) {
    const existing = state.flights.get(key);
    if (existing !== undefined && existing.generation === state.purges.generation) {
      return { flight: existing, led: false };
    }
  }
  const init: FlightInit = { channel, primary, fields: request.fields, stored, range };
  const flight = startFlight(state, init);
  if (!alone) register(state, key, flight);
  if (!hints.authorization) void noteUnshared(state, primary, flight);
  return { flight, led: true };
}

function register(state: EdgeState, key: string, flight: Flight): void {
  state.flights.set(key, flight);
  void forgetLanded(state, key, flight);
}

async function forgetLanded(state: EdgeState, key: string, flight: Flight): Promise<void> {
  await flight.landed;
  if (state.flights.get(key) === flight) state.flights.delete(key);
}

async function noteUnshared(state: EdgeState, primary: string, flight: Flight): Promise<void> {
  const outcome = await flight.outcome;
  if (outcome.kind !== 'private') return;
  state.unshared.set(primary, state.clock.monotonic() + unsharedMs, { size: 1 });
}

/** Where it is known what a target varies by, requests for different variants do not wait in one line. */
function flightKey(
  state: EdgeState,
  { primary, request }: Lookup,
  range: string | undefined,
): string {
  const base = range === undefined ? primary : rangeKey(primary, range);
  const marker = state.memory.find(base, []);
  if (marker?.kind !== 'variants') return base;
  return `${base} ${variantKey(marker.lists[0] ?? [], request.fields)}`;
}

function forwardedRange({ channel, hints, request }: Lookup): string | undefined {
  if (channel.settings.rangeMiss !== 'forward' || request.method !== 'GET') return undefined;
  return parseRange(hints.range) === undefined ? undefined : hints.range;
}

async function renewBehind(state: EdgeState, lookup: Lookup, found: KeptResponse): Promise<void> {
  const { flight, led } = takeOff(state, lookup, { stored: found, alone: false });
  const outcome = await flight.outcome;
  // Nobody reads what turned out to be for one user.
  if (led && outcome.kind === 'private') outcome.response.body.destroy();
}

async function answerOutcome(
  state: EdgeState,
  lookup: Lookup,
  reached: {
    readonly outcome: FlightOutcome;
    readonly led: boolean;
    readonly why: Wanted['why'];
  },
): Promise<void> {
  const { outcome, led, why } = reached;
  switch (outcome.kind) {
    case 'failed':
      throw outcome.error;
    case 'private':
      state.counters.passes += 1;
      lookup.channel.counters.passes += 1;
      await sendOn(state, {
        request: lookup.request,
        responder: lookup.responder,
        response: outcome.response,
        why: 'uri-miss',
        detail: outcome.why,
      });
      return;
    case 'kept': {
      const stale = outcome.because === 'stale-if-error';
      const served = await answerKept(state, lookup, outcome.stored, { stale, renewed: !stale });
      if (!served)
        throw new TaplineError('origin_broken', 'what is kept is not what was asked for');
      return;
    }
    case 'filling':
      if (!led && answeredShared(state, lookup, { outcome, why })) return;
      await answerFilling(state, lookup, {
        head: led
          ? { ...outcome.head, fields: [...outcome.head.fields, ...outcome.once] }
          : outcome.head,
        body: outcome.body,
        status: {
          kind: 'forward',
          why,
          stored: true,
          originStatus: outcome.head.status,
          collapsed: !led,
        },
      });
  }
}
