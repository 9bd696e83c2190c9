import { errorMessage, isTaplineError } from '@tapline/base';
import type { HeaderField } from '../rfc/header-fields.ts';
import type { EdgeState } from './edge-state.ts';
import type { EdgeRequest, Responder } from './exchange.ts';

/** The status for each error that a viewer may see. */
const statusOf: Readonly<Record<string, number>> = {
  bad_request: 400,
  denied: 403,
  not_found: 404,
  rate_limited: 429,
  loop_detected: 508,
  not_kept: 504,
  overloaded: 503,
  origin_overloaded: 503,
  origin_unavailable: 503,
  origin_unreachable: 502,
  origin_broken: 502,
  redirect_loop: 502,
  too_many_redirects: 502,
  object_too_large: 502,
  origin_timeout: 504,
};

/** Answers an error. What the cache itself did wrong is logged and told to nobody. */
export function answerProblem(
  state: EdgeState,
  { request, responder }: { readonly request: EdgeRequest; readonly responder: Responder },
  error: unknown,
): void {
  const known = isTaplineError(error) ? error : undefined;
  const status = known === undefined ? 500 : (statusOf[known.code] ?? 500);
  if (status === 500)
    state.log.error('a request failed within the cache', { error: errorMessage(error) });
  if (status < 500 || status === 508) state.counters.refused += 1;
  if (responder.gone) return;
  const text = status === 500 ? 'the cache failed' : (known?.message ?? '');
  const body = Buffer.from(`${text}\n`);
  const fields: HeaderField[] = [
    ['content-type', 'text/plain; charset=utf-8'],
    ['cache-control', 'no-store'],
    ['cache-status', `${state.name}; detail=${known?.code ?? 'internal'}`],
    ['content-length', String(body.length)],
  ];
  if (status === 503 || status === 429) fields.push(['retry-after', '1']);
  responder.respond(status, fields, request.method === 'HEAD' ? undefined : body);
}
