import type { ByteSpan } from '../rfc/byte-range.ts';
import type { CacheOutcome } from '../rfc/cache-status.ts';
import type { DiskBody } from '../store/disk-body.ts';
import { freshForMs, type KeptResponse } from '../store/stored-response.ts';
import { type AnswerPlan, planAnswer } from './answer-stored.ts';
import type { EdgeState } from './edge-state.ts';
import type { Lookup } from './request-handler.ts';

/** Answers with a whole kept response; false where it is a part that does not hold what is asked. */
export async function answerKept(
  state: EdgeState,
  lookup: Lookup,
  { head, body }: KeptResponse,
  { stale, renewed = false }: { readonly stale: boolean; readonly renewed?: boolean },
): Promise<boolean> {
  const nowMs = state.clock.now();
  const { responder, request, hints } = lookup;
  const outcome: CacheOutcome = renewed
    ? { kind: 'forward', why: 'stale', originStatus: 304, stored: true }
    : { kind: 'hit', ttlSeconds: freshForMs(head, nowMs) / 1000 };
  const bodyBytes = body.length;
  const plan = planAnswer({
    head,
    bodyBytes,
    request,
    hints,
    nowMs,
    cacheName: state.name,
    outcome,
  });
  if (plan === undefined) return false;
  const { counters } = state;
  const { span } = plan;
  if (span === undefined) responder.respond(plan.status, plan.fields);
  else if (Buffer.isBuffer(body)) {
    responder.respond(plan.status, plan.fields, body.subarray(span.start, span.end));
  } else if (!(await answerFromDisk(state, lookup, { plan: { ...plan, span }, body }))) {
    return false;
  }
  counters.bytesServed += span === undefined ? 0 : span.end - span.start;
  if (!renewed) {
    counters.hits += 1;
    lookup.channel.counters.hits += 1;
  }
  if (stale) counters.staleHits += 1;
  return true;
}

/** Sends what is on disk piece by piece; false where not even the first one is what was written. */
async function answerFromDisk(
  state: EdgeState,
  { responder }: Lookup,
  {
    plan: { status, fields, span },
    body,
  }: {
    readonly plan: AnswerPlan & { readonly span: ByteSpan };
    readonly body: DiskBody;
  },
): Promise<boolean> {
  await using pieces = body.pieces(span);
  let piece: Uint8Array | undefined;
  try {
    piece = (await pieces.next()).value;
  } catch {
    // Counted and logged where it was found out; nothing was sent yet.
    return false;
  }
  const writer = responder.start(status, fields, span.end - span.start);
  try {
    while (piece !== undefined && !responder.gone) {
      await writer.lend(piece);
      piece = (await pieces.next()).value;
    }
    writer.end();
  } catch {
    state.counters.cut += 1;
    writer.cut();
  }
  return true;
}
