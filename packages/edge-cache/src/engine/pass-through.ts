import { isTaplineError, TaplineError } from '@tapline/base';
import type { Channel } from '../channel/channel-table.ts';
import { originTarget } from '../channel/request-target.ts';
import { fieldLines, fieldValue, type HeaderFields } from '../rfc/header-fields.ts';
import { withoutHopByHop } from '../rfc/hop-by-hop.ts';
import { formatCacheStatus } from '../rfc/cache-status.ts';
import type { OriginResponse } from '../fill/origin-client.ts';
import { purgeName } from '../store/purge-table.ts';
import { answerProblem } from './answer-problem.ts';
import type { EdgeState } from './edge-state.ts';
import type { EdgeRequest, Responder } from './exchange.ts';
import { passedFields } from './origin-fields.ts';

interface Passed {
  readonly channel: Channel;
  readonly request: EdgeRequest;
  readonly responder: Responder;
  readonly target: string;
}

/** Methods that change nothing (RFC 9110 §9.2.1). */
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Sends a request on that no cache answers, and its answer back. Never rejects. */
export async function passThrough(state: EdgeState, passed: Passed): Promise<void> {
  const { channel, request, responder, target } = passed;
  state.counters.passes += 1;
  channel.counters.passes += 1;
  const left = new AbortController();
  responder.onGone(() => left.abort());
  try {
    if (request.method === 'CONNECT' || request.method === 'TRACE') {
      throw new TaplineError('bad_request', `method ${request.method} is not passed on`);
    }
    const response = await ask(state, passed, AbortSignal.any([left.signal, state.stopping]));
    if (!safe.has(request.method) && response.status >= 200 && response.status < 400) {
      await invalidate(state, {
        channel: channel.settings.name,
        authority: request.authority,
        target,
        fields: response.fields,
      });
    }
    await sendOn(state, { request, responder, response, why: 'method' });
  } catch (error) {
    if (left.signal.aborted) return;
    if (isTaplineError(error)) {
      state.counters.originFailures += 1;
      channel.counters.originFailures += 1;
    }
    answerProblem(state, passed, error);
  }
}

async function ask(state: EdgeState, passed: Passed, signal: AbortSignal): Promise<OriginResponse> {
  const { channel, request, target } = passed;
  const { settings } = channel;
  const upstream = state.chooser
    .candidates(channel, target)
    .find(({ kind, breaker }) => kind === 'origin' && breaker.allows());
  if (upstream === undefined) {
    throw new TaplineError('origin_unavailable', 'the origin is left alone for now');
  }
  const length = request.bodyLength;
  state.counters.fetches += 1;
  channel.counters.fetches += 1;
  try {
    const response = await state.origins.fetch({
      origin: upstream.url,
      method: request.method,
      target: originTarget(settings, target),
      fields: passedFields({
        fields: request.fields,
        host: settings.originHost ?? upstream.url.host,
        cacheName: state.name,
        asked: length === undefined ? [] : [['content-length', String(length)]],
      }),
      body: request.body,
      connectMs: settings.timeouts.connectMs,
      headMs: settings.timeouts.headMs,
      idleMs: settings.timeouts.idleMs,
      signal,
    });
    upstream.breaker.succeeded();
    return response;
  } catch (error) {
    if (signal.aborted) upstream.breaker.abandoned();
    else upstream.breaker.failed();
    throw error;
  }
}

/** Sends an answer on to the one client that it is for, at that client's pace. */
export async function sendOn(
  state: EdgeState,
  sent: {
    readonly request: EdgeRequest;
    readonly responder: Responder;
    readonly response: OriginResponse;
    readonly why: 'method' | 'uri-miss' | 'bypass';
    readonly detail?: string;
  },
): Promise<void> {
  const { request, responder, response } = sent;
  responder.onGone(() => response.body.destroy());
  const status = formatCacheStatus(state.name, {
    kind: 'forward',
    why: sent.why,
    originStatus: response.status,
    ...(sent.detail !== undefined && { detail: sent.detail }),
  });
  const dated = fieldValue(response.fields, 'date') !== undefined;
  const fields: HeaderFields = [
    ...withoutHopByHop(response.fields),
    ...(dated ? [] : [['date', new Date(response.responseTimeMs).toUTCString()] as const]),
    ['cache-status', status],
  ];
  const declared = fieldValue(response.fields, 'content-length');
  const noBody = request.method === 'HEAD' || response.status === 204 || response.status === 304;
  if (noBody) {
    responder.respond(
      response.status,
      declared === undefined && request.method === 'HEAD'
        ? [...fields, ['content-length', '0']]
        : fields,
    );
    response.body.destroy();
    return;
  }
  const writer = responder.start(
    response.status,
    fields,
    declared === undefined ? undefined : Number(declared),
  );
  try {
    for await (const chunk of response.body) {
      state.counters.bytesFromOrigin += chunk.length;
      if (responder.gone) return;
      await writer.write(chunk);
    }
    writer.end();
  } catch (error) {
    if (!responder.gone) {
      state.counters.cut += 1;
      state.log.warn('an answer was cut off', {
        target: request.target.slice(0, 200),
        error: String(error),
      });
    }
    writer.cut();
  }
}

/** RFC 9111 §4.4: what an unsafe request changed, and what its answer names, is no longer valid. */
async function invalidate(
  state: EdgeState,
  {
    channel,
    authority,
    target,
    fields,
  }: {
    readonly channel: string;
    readonly authority: string;
    readonly target: string;
    readonly fields: HeaderFields;
  },
): Promise<void> {
  const targets = new Set([target]);
  const base = `http://${authority === '' ? 'edge.invalid' : authority}${target}`;
  const host = URL.canParse(base) ? new URL(base).host : undefined;
  for (const name of ['location', 'content-location']) {
    for (const line of fieldLines(fields, name)) {
      if (host === undefined || !URL.canParse(line, base)) continue;
      const named = new URL(line, base);
      // Of another host it says nothing that can be believed.
      if (named.host === host) targets.add(named.pathname + named.search);
    }
  }
  for (const one of targets)
    await state.purge(purgeName({ kind: 'url', channel, target: one }), 'hard');
}
