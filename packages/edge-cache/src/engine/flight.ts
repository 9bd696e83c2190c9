import { isTaplineError, TaplineError } from '@tapline/base';
import type { Channel } from '../channel/channel-table.ts';
import { isBlockingReload } from '../channel/request-target.ts';
import { FillBody } from '../fill/fill-body.ts';
import type { OriginResponse } from '../fill/origin-client.ts';
import { parseContentRange } from '../rfc/byte-range.ts';
import {
  fieldLines,
  fieldValue,
  type HeaderField,
  type HeaderFields,
} from '../rfc/header-fields.ts';
import { updateStoredFields } from '../rfc/update-stored-fields.ts';
import { variantKey } from '../rfc/vary.ts';
import { keyParts } from '../store/object-key.ts';
import type { KeptResponse, StoredHead } from '../store/stored-response.ts';
import { askUpstreams } from './ask-upstreams.ts';
import type { EdgeState } from './edge-state.ts';
import type { PreparedAnswer } from './exchange.ts';
import { keep } from './keep.ts';
import { judgeResponse, type Judged } from './judge-response.ts';
import { maySubstitute } from './judge-use.ts';

/** What became of asking the origin for something that may be kept. */
export type FlightOutcome =
  /** The origin said it has not changed, or it failed and what is kept may stand in. */
  | {
      readonly kind: 'kept';
      readonly stored: KeptResponse;
      readonly because: 'renewed' | 'stale-if-error';
    }
  /** It is being kept while it comes in. */
  | {
      readonly kind: 'filling';
      readonly head: StoredHead;
      readonly body: FillBody;
      /** Fields that are for who asked first only. */
      readonly once: HeaderFields;
      /** Answers in the form of the wire, for those who waited and get the same bytes. */
      readonly shared: Map<string, PreparedAnswer>;
    }
  /** It is for who asked and nobody else. */
  | { readonly kind: 'private'; readonly response: OriginResponse; readonly why: string }
  | { readonly kind: 'failed'; readonly error: TaplineError };

/** One fetch for all who want the same. */
export interface Flight {
  /** Of purges when it started: who comes after a purge takes no part in it. */
  readonly generation: number;
  readonly outcome: Promise<FlightOutcome>;
  /** Settles when what came is kept, or is not. Never rejects. */
  readonly landed: Promise<void>;
  /** Nothing is kept that it might only renew. */
  readonly anew: boolean;
  /**
   * Called in one turn and in this order once the outcome is known, without one where the cache itself
   * failed; none throws. Undefined from then on.
   */
  joined: ((outcome: FlightOutcome | undefined) => void)[] | undefined;
}

export interface FlightInit {
  readonly channel: Channel;
  /** The key without its variant. */
  readonly primary: string;
  /** The fields of the request that asks first. */
  readonly fields: HeaderFields;
  /** What is kept already and may only need to be renewed. */
  readonly stored: KeptResponse | undefined;
  /** Asks for this range only. */
  readonly range: string | undefined;
}

/** What a body of unknown length is counted as while it comes in. */
const unknownBytes = 1024 * 1024;

/** Starts a fetch. The caller registers it. */
export function startFlight(state: EdgeState, init: FlightInit): Flight {
  const { generation } = state.purges;
  init.channel.concurrentFetches += 1;
  const outcome = depart(state, init, generation);
  const landed = outcome.then(
    (reached) => land(state, init, reached),
    (error: unknown) => state.log.error('a fetch failed within the cache', { error }),
  );
  const anew = init.stored === undefined;
  const flight: Flight = { generation, outcome, landed, anew, joined: [] };
  void tellJoined(flight);
  return flight;
}

async function tellJoined(flight: Flight): Promise<void> {
  // Why it failed is thrown to those who wait for the outcome itself.
  const outcome = await flight.outcome.catch(() => undefined);
  const { joined = [] } = flight;
  flight.joined = undefined;
  for (const tell of joined) tell(outcome);
}

async function depart(
  state: EdgeState,
  init: FlightInit,
  generation: number,
): Promise<FlightOutcome> {
  const { channel, stored, primary } = init;
  const { limits } = channel.settings;
  try {
    if (limits.concurrentFetches > 0 && channel.concurrentFetches > limits.concurrentFetches) {
      throw new TaplineError(
        'origin_overloaded',
        `channel ${channel.settings.name} has ${limits.concurrentFetches} fetches under way, its limit`,
      );
    }
    const response = await askUpstreams(state, init);
    if (response.status === 304 && stored !== undefined) {
      response.body.destroy();
      return renewed(state, { ...init, stored }, response, generation);
    }
    if (response.status >= 500 && standsIn(state, stored)) {
      response.body.destroy();
      return { kind: 'kept', stored, because: 'stale-if-error' };
    }
    return received(state, init, response, generation);
  } catch (error) {
    if (!isTaplineError(error)) throw error;
    state.counters.originFailures += 1;
    init.channel.counters.originFailures += 1;
    if (standsIn(state, stored)) return { kind: 'kept', stored, because: 'stale-if-error' };
    state.log.warn('the origin failed', { key: primary, code: error.code, error: error.message });
    return { kind: 'failed', error };
  }
}

function received(
  state: EdgeState,
  init: FlightInit,
  response: OriginResponse,
  generation: number,
): FlightOutcome {
  const { channel, fields, primary } = init;
  const { maxObjectBytes } = channel.settings;
  const part = response.status === 206 ? partOf(init, response) : undefined;
  const judged = judge(init, response, { generation, part, fields: response.fields });
  if (judged.kind === 'pass') return { kind: 'private', response, why: judged.why };
  const expected = lengthOf(response.fields);
  if (expected !== undefined && expected > maxObjectBytes) {
    return { kind: 'private', response, why: 'too-large' };
  }
  // Many large ones at once pass at their clients' pace instead of filling memory.
  const reserved = expected ?? unknownBytes;
  if (state.filling.bytes + reserved > state.filling.maxBytes) {
    return { kind: 'private', response, why: 'memory' };
  }
  if (part !== undefined && expected !== part.end - part.start) {
    return { kind: 'private', response, why: 'length' };
  }
  const key = keyOf(state, {
    primary,
    judged,
    fields,
    part: part !== undefined,
    range: init.range,
  });
  const body = new FillBody({ expected, limit: maxObjectBytes });
  fill(state, { response, body, reserved });
  const head = { ...judged.head, key };
  return { kind: 'filling', head, body, once: judged.once, shared: new Map() };
}

/** Lets the body come in; what came with the head is there when this returns. */
function fill(
  state: EdgeState,
  filled: {
    readonly response: OriginResponse;
    readonly body: FillBody;
    readonly reserved: number;
  },
): void {
  const { response, body, reserved } = filled;
  state.filling.bytes += reserved;
  const fail = (error: unknown): void => {
    state.filling.bytes -= reserved;
    state.counters.originFailures += 1;
    body.fail(error);
  };
  response.body.pour({
    append: (chunk) => {
      state.counters.bytesFromOrigin += chunk.length;
      body.append(chunk);
    },
    complete: () => {
      try {
        body.complete();
      } catch (error) {
        fail(error);
        return;
      }
      state.filling.bytes -= reserved;
    },
    fail,
  });
}

/** Keeps what came in, where it came in whole. */
async function land(
  state: EdgeState,
  { channel }: FlightInit,
  outcome: FlightOutcome,
): Promise<void> {
  try {
    if (outcome.kind !== 'filling') return;
    await outcome.body.whole();
    await keep(state, { head: outcome.head, body: outcome.body.complete() });
  } catch (error) {
    state.log.warn('a response was not kept', {
      key: outcome.kind === 'filling' ? outcome.head.key : undefined,
      error: error instanceof Error ? error.message : String(error),
    });
  } finally {
    channel.concurrentFetches -= 1;
  }
}

/** Writes what was renewed anew: its head is part of its record. */
async function keepRenewed(state: EdgeState, { head, body }: KeptResponse): Promise<void> {
  try {
    await keep(state, { head, body: Buffer.isBuffer(body) ? body : await body.whole() });
  } catch (error) {
    // Without it the old one is renewed again.
    state.log.warn('a renewed response was not kept', {
      key: head.key,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

function renewed(
  state: EdgeState,
  init: FlightInit & { readonly stored: KeptResponse },
  response: OriginResponse,
  generation: number,
): FlightOutcome {
  const { head, body } = init.stored;
  state.counters.renewals += 1;
  const fields = updateStoredFields(head.fields, response.fields);
  // The age of the 304 counts, not that of what is kept.
  const age = fieldLines(response.fields, 'age').map((line): HeaderField => ['age', line]);
  const judged = judge(
    init,
    { ...response, status: head.status },
    {
      generation,
      part: head.part,
      fields: [...fields.filter(([name]) => name !== 'age'), ...age],
    },
  );
  if (judged.kind === 'pass') {
    // It may be used for this answer and not be kept for another.
    state.memory.delete(head.key);
    state.disk?.remove(head.key);
    const shown = fields.filter(([name]) => !/^set-cookie2?$/.test(name));
    const once = {
      ...head,
      fields: shown,
      responseTimeMs: response.responseTimeMs,
      initialAgeMs: 0,
    };
    return { kind: 'kept', stored: { head: once, body }, because: 'renewed' };
  }
  const tags = judged.head.tags.length > 0 ? judged.head.tags : head.tags;
  const stored = { head: { ...judged.head, tags, key: head.key }, body };
  void keepRenewed(state, stored);
  return { kind: 'kept', stored, because: 'renewed' };
}

function judge(
  init: FlightInit,
  response: OriginResponse,
  { generation, part, fields }: Pick<StoredHead, 'generation' | 'part' | 'fields'>,
): Judged {
  const { target } = keyParts(init.primary);
  return judgeResponse({
    settings: init.channel.settings,
    target,
    method: 'GET',
    requestFields: init.fields,
    status: response.status,
    fields:
      fieldValue(fields, 'date') === undefined
        ? [...fields, ['date', new Date(response.responseTimeMs).toUTCString()]]
        : fields,
    requestTimeMs: response.requestTimeMs,
    responseTimeMs: response.responseTimeMs,
    held: isBlockingReload(target),
    generation,
    part,
  });
}

function keyOf(
  state: EdgeState,
  kept: {
    readonly primary: string;
    readonly judged: Extract<Judged, { readonly kind: 'store' }>;
    readonly fields: HeaderFields;
    readonly part: boolean;
    readonly range: string | undefined;
  },
): string {
  const { primary, judged, fields } = kept;
  const base = kept.part ? rangeKey(primary, kept.range ?? '') : primary;
  if (judged.vary.length === 0) return base;
  const pinned = state.pins.covers(base);
  const { memory, disk } = state;
  const marker = memory.mark(base, judged.vary, { pinned: pinned && disk === undefined });
  void disk?.putMarker(marker, { pinned });
  return `${base} ${variantKey(judged.vary, fields)}`;
}

/** The key under which a part is kept: by the very range that was asked for. */
export function rangeKey(primary: string, range: string): string {
  return `${primary} range=${range.replaceAll(/\s/g, '')}`;
}

/** Throws where the origin answers a request for the whole with a part, or a broken part. */
function partOf(init: FlightInit, response: OriginResponse): StoredHead['part'] {
  const part = parseContentRange(fieldValue(response.fields, 'content-range'));
  if (init.range !== undefined && part !== undefined) return part;
  response.body.destroy();
  throw new TaplineError(
    'origin_broken',
    init.range === undefined
      ? 'the origin answered 206 to a request for the whole'
      : 'the origin answered 206 without a Content-Range',
  );
}

function standsIn(state: EdgeState, stored: KeptResponse | undefined): stored is KeptResponse {
  if (stored === undefined) return false;
  const { head } = stored;
  const purged = state.purges.stateOf({ ...head, ...keyParts(head.key) });
  return maySubstitute(head, { nowMs: state.clock.now(), purged });
}

function lengthOf(fields: HeaderFields): number | undefined {
  const value = fieldValue(fields, 'content-length');
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
