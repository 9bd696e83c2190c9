import type { ByteSpan } from '../rfc/byte-range.ts';
import type { CacheOutcome } from '../rfc/cache-status.ts';
import type { FillBody } from '../fill/fill-body.ts';
import { TaplineError } from '@tapline/base';
import { currentAgeMs, type StoredHead } from '../store/stored-response.ts';
import { fieldsOf, planAnswer, wireAnswer } from './answer-stored.ts';
import type { EdgeState } from './edge-state.ts';
import type { FlightOutcome } from './flight.ts';
import type { Lookup } from './request-handler.ts';

const pieceBytes = 256 * 1024;

/** Answers one of many who waited for the same and whole response: with bytes made once for all. */
export function answeredShared(
  state: EdgeState,
  { request, responder, hints }: Lookup,
  {
    outcome: { head, body, shared },
    why,
  }: {
    readonly outcome: Extract<FlightOutcome, { readonly kind: 'filling' }>;
    readonly why: 'uri-miss' | 'vary-miss' | 'stale';
  },
): boolean {
  const simple = request.method === 'GET' && !hints.conditional && hints.range === undefined;
  if (!simple || !body.isComplete || !responder.takesPrepared) return false;
  if (head.part !== undefined || head.status === 204) return false;
  const nowMs = state.clock.now();
  const name = `${why} ${Math.floor(currentAgeMs(head, nowMs) / 1000)}`;
  let answer = shared.get(name);
  if (answer === undefined) {
    answer = wireAnswer(
      head.status,
      fieldsOf({
        head,
        bodyBytes: body.length,
        nowMs,
        cacheName: state.name,
        outcome: {
          kind: 'forward',
          why,
          stored: true,
          originStatus: head.status,
          collapsed: true,
        },
      }),
      body.complete(),
    );
    shared.set(name, answer);
  }
  responder.respondPrepared(answer);
  return true;
}

/** Answers while the body comes in: from its first byte, or from where the range begins. */
export async function answerFilling(
  state: EdgeState,
  lookup: Lookup,
  filling: { readonly head: StoredHead; readonly body: FillBody; readonly status: CacheOutcome },
): Promise<void> {
  const { head, body, status } = filling;
  const { request, responder, hints } = lookup;
  const base = { head, nowMs: state.clock.now(), cacheName: state.name, outcome: status };
  // A range of unknown length, a condition, a part: those need to know the whole first.
  const needsSize = hints.conditional || hints.range !== undefined || head.part !== undefined;
  const bodyBytes =
    body.expected ?? (body.isComplete ? body.length : needsSize ? await body.whole() : undefined);
  const plan =
    bodyBytes === undefined ? undefined : planAnswer({ ...base, bodyBytes, request, hints });
  if (plan === undefined && bodyBytes !== undefined) {
    throw new TaplineError('origin_broken', 'the origin sent another part than was asked for');
  }
  const noBody = request.method === 'HEAD' || head.status === 204;
  if (plan?.span === undefined && (plan !== undefined || noBody)) {
    responder.respond(
      plan?.status ?? head.status,
      plan?.fields ?? fieldsOf({ ...base, bodyBytes }),
    );
    return;
  }
  const span: ByteSpan | undefined = plan?.span;
  if (body.isComplete && plan !== undefined && span !== undefined) {
    responder.respond(plan.status, plan.fields, body.complete().subarray(span.start, span.end));
    return;
  }
  const writer = responder.start(
    plan?.status ?? head.status,
    plan?.fields ?? fieldsOf({ ...base, bodyBytes }),
    span === undefined ? undefined : span.end - span.start,
  );
  const end = span?.end ?? Number.POSITIVE_INFINITY;
  let at = span?.start ?? 0;
  try {
    while (at < end) {
      const chunk = await body.read(at, Math.min(pieceBytes, end - at));
      if (chunk.length === 0 || responder.gone) break;
      at += chunk.length;
      await writer.write(chunk);
    }
    if (span !== undefined && at < end && !responder.gone) writer.cut();
    else writer.end();
  } catch (error) {
    state.counters.cut += 1;
    state.log.warn('an answer was cut off', { key: head.key, error: String(error) });
    writer.cut();
  }
}
