import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorMessage, isTaplineError, type Log } from '@tapline/base';

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

const statuses: Readonly<Record<string, number>> = {
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  bad_request: 400,
  collection_running: 409,
};

/** `{ code, message, hint? }`, as docs/protocols/registry-admin.md has it. */
export function answerFailure(
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
  error: unknown,
  log: Log,
): void {
  const { request, response } = exchange;
  // A request whose body was read to its end is destroyed, too, and is waiting for its answer.
  const isGone = request.destroyed && !request.complete;
  if (response.headersSent || isGone) return void response.destroy();
  const known = isTaplineError(error) ? error : undefined;
  const status = known === undefined ? undefined : statuses[known.code];
  const path = request.url?.split('?', 1)[0];
  if (status === undefined) log.warn('a request failed', { path, error });
  // A known error without a status is of what the work met: a disk, another registry.
  answerJson(response, status ?? (known === undefined ? 500 : 502), {
    code: known?.code ?? 'internal',
    message: known === undefined ? 'internal error' : errorMessage(known),
    ...(known?.hint !== undefined && { hint: known.hint }),
  });
}
