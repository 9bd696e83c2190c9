import { TaplineError } from '@tapline/base';
import type { Channel } from '../channel/channel-table.ts';
import { brokenBlockingReload, canonicalTarget } from '../channel/request-target.ts';
import { behindToken, verifySignedTarget } from '../channel/signed-target.ts';
import { listMembers } from '../rfc/header-fields.ts';
import type { MemoryEntry, MemoryResponse } from '../store/memory-tier.ts';
import { objectKey } from '../store/object-key.ts';
import { freshForMs } from '../store/stored-response.ts';
import { planAnswer, preparedAnswer } from './answer-stored.ts';
import { answerProblem } from './answer-problem.ts';
import type { EdgeState } from './edge-state.ts';
import type { EdgeRequest, Handle, Responder } from './exchange.ts';
import { judgeUse } from './judge-use.ts';
import { joinFlight } from './join-flight.ts';
import { offer } from './keep.ts';
import { passThrough } from './pass-through.ts';
import { noWishes, type RequestHints, requestHints, requestWishes } from './request-hints.ts';
import { serveByFetch } from './serve-by-fetch.ts';

/** A GET or HEAD of something that may be kept, on its way through the cache. */
export interface Lookup {
  readonly channel: Channel;
  readonly request: EdgeRequest;
  readonly hints: RequestHints;
  readonly responder: Responder;
  /** The key without its variant. */
  readonly primary: string;
  readonly target: string;
}

/**
 * Answers a request. What is in memory and fresh is answered within the call; everything else goes its
 * way from there and never throws.
 */
export function createRequestHandler(state: EdgeState): Handle {
  return (request, responder) => {
    try {
      handle(state, request, responder);
    } catch (error) {
      answerProblem(state, { request, responder }, error);
    }
  };
}

function handle(state: EdgeState, request: EdgeRequest, responder: Responder): void {
  state.counters.requests += 1;
  const { fields, method } = request;
  const path = request.target;
  const channel = state.channels().find(request.authority, behindToken(path));
  if (channel === undefined) {
    throw new TaplineError(
      'not_found',
      `no channel is at ${request.authority}${path.slice(0, 200)}`,
    );
  }
  channel.counters.requests += 1;
  const { settings } = channel;
  const hints = requestHints(fields);
  assertMayAsk(state, channel, hints);
  const target = canonicalTarget(targetOf(state, channel, path));
  if ((method !== 'GET' && method !== 'HEAD') || request.body !== undefined) {
    void passThrough(state, { channel, request, responder, target });
    return;
  }
  const broken = brokenBlockingReload(target);
  if (broken !== undefined) throw new TaplineError('bad_request', broken);
  const primary = objectKey(settings.name, target);
  const lookup: Lookup = { channel, request, hints, responder, primary, target };
  const entry = state.memory.find(primary, fields);
  if (entry?.kind === 'response' && answeredFromMemory(state, lookup, entry)) return;
  if (entry === undefined && joinFlight(state, lookup)) return;
  void slowly(state, lookup, entry);
}

/** Answers where what is in memory may be used as it is. */
function answeredFromMemory(state: EdgeState, lookup: Lookup, entry: MemoryResponse): boolean {
  const { channel, hints, request, responder, target } = lookup;
  const { head, body } = entry;
  const nowMs = state.clock.now();
  const honoured = channel.settings.honourRequestDirectives && hints.cacheControl !== undefined;
  const purged = state.purges.stateOf({
    channel: channel.settings.name,
    target,
    tags: head.tags,
    generation: head.generation,
  });
  const wishes = honoured ? requestWishes(hints.cacheControl ?? '') : noWishes;
  if (judgeUse(head, { nowMs, purged, wishes, authorized: hints.authorization }) !== 'hit')
    return false;
  const ttlMs = freshForMs(head, nowMs);
  if (
    responder.takesPrepared &&
    request.method === 'GET' &&
    hints.range === undefined &&
    !hints.conditional &&
    head.part === undefined &&
    head.status !== 204
  ) {
    count(state, channel, body.length);
    const before = entry.prepared;
    responder.respondPrepared(preparedAnswer(entry, { nowMs, ttlMs, cacheName: state.name }));
    // Once in a second is enough to tell the disk what is used: its counts are small.
    if (entry.prepared !== before && state.disk?.touch(head.key) === false) offer(state, entry);
    return true;
  }
  const plan = planAnswer({
    head,
    bodyBytes: body.length,
    request,
    hints,
    nowMs,
    cacheName: state.name,
    outcome: { kind: 'hit', ttlSeconds: ttlMs / 1000 },
  });
  if (plan === undefined) return false;
  const bytes = plan.span === undefined ? undefined : body.subarray(plan.span.start, plan.span.end);
  count(state, channel, bytes?.length ?? 0);
  responder.respond(plan.status, plan.fields, bytes);
  return true;
}

async function slowly(
  state: EdgeState,
  lookup: Lookup,
  entry: MemoryEntry | undefined,
): Promise<void> {
  const { channel, request, responder } = lookup;
  const limit = channel.settings.limits.concurrentRequests;
  channel.concurrentRequests += 1;
  try {
    if (limit > 0 && channel.concurrentRequests > limit) {
      throw new TaplineError(
        'overloaded',
        `channel ${channel.settings.name} has ${limit} requests under way, its limit`,
      );
    }
    await serveByFetch(state, lookup, entry);
  } catch (error) {
    answerProblem(state, { request, responder }, error);
  } finally {
    channel.concurrentRequests -= 1;
  }
}

function assertMayAsk(state: EdgeState, channel: Channel, hints: RequestHints): void {
  if (hints.loop !== undefined && listMembers(hints.loop).includes(state.name)) {
    throw new TaplineError('loop_detected', `the request came through ${state.name} already`, {
      hint: 'look whether the origin of the channel is an edge that asks this one',
    });
  }
  if (channel.bucket?.take() === false) {
    throw new TaplineError(
      'rate_limited',
      `channel ${channel.settings.name} takes ${channel.settings.limits.requestsPerSecond} requests a second`,
    );
  }
}

const segmentOfDots = /\/(?:\.|%2e){1,2}(?:[/?]|%2f|%5c|$)/i;

/** Spares nearly all targets the expression, which takes longer than finding what is kept. */
function mayHoldDots(target: string): boolean {
  return target.includes('/.') || target.includes('/%');
}

/** The target without its token. Throws `denied` where a token is needed and not good. */
function targetOf(state: EdgeState, channel: Channel, path: string): string {
  const { signing, prefix } = channel.settings;
  let target = path;
  if (signing !== undefined) {
    const signed = verifySignedTarget(path, {
      settings: signing,
      prefix,
      nowMs: state.clock.now(),
    });
    if (signed.kind === 'refused') throw new TaplineError('denied', signed.reason);
    target = signed.target;
  }
  // An origin that resolves dots would answer from outside of what the prefix stands for.
  if (mayHoldDots(target) && segmentOfDots.test(target)) {
    throw new TaplineError('bad_request', 'the path holds a segment of dots');
  }
  return target;
}

function count(state: EdgeState, { counters }: Channel, bytes: number): void {
  state.counters.hits += 1;
  counters.hits += 1;
  state.counters.bytesServed += bytes;
}
