import type { IncomingMessage } from 'node:http';
import { type Clock, errorMessage, type Log, TaplineError } from '@tapline/base';
import { storageFailure } from '../storage/storage-failure.ts';
import type { RegistryAccess } from './authorize.ts';
import { answer, type Exchange } from './exchange.ts';
import { registryErrorAnswer } from './registry-error.ts';

/** How long, and how many bytes, a refused body may still come in before its connection is cut. */
const lingerMs = 2000;
const lingerBytes = 64 * 1024 * 1024;

/** Answers with the specification's error document, or cuts an answer that has begun. */
export async function answerError(
  exchange: Exchange,
  failure: unknown,
  options: {
    readonly challenge: (request: IncomingMessage, access: RegistryAccess | undefined) => string;
    readonly log: Log;
    readonly clock: Clock;
  },
): Promise<void> {
  const { request, response } = exchange;
  const error = storageFailure(failure, 'what was sent');
  const known = registryErrorAnswer(error);
  const context = { method: request.method, path: request.url?.split('?', 1)[0], error };
  if (response.headersSent || (request.destroyed && !request.complete)) {
    // The peer went away or the blob could not be read to its end: only a cut connection says so.
    options.log.info('registry: answer was cut', context);
    response.destroy();
    return;
  }
  if (known === undefined) options.log.error('registry: request failed', context);
  const { status, code } = known ?? { status: 500, code: 'UNKNOWN' };
  if (status === 507) options.log.warn('registry: disk is full', context);
  const message = known === undefined ? 'internal error' : describe(error);
  const detail = error instanceof TaplineError && known !== undefined ? error.details : {};
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message, detail }] }));
  // What is left of the body would be read as the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  if (status === 401) {
    const access = detail['access'] as RegistryAccess | undefined;
    response.setHeader('www-authenticate', options.challenge(request, access));
  }
  if (status === 416) {
    const size = Number(detail['size'] ?? 0);
    response.setHeader('range', `0-${Math.max(size - 1, 0)}`);
    response.setHeader('location', exchange.request.url?.split('?', 1)[0] ?? '');
  }
  if (request.method === 'HEAD') {
    answer(exchange, status);
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  if (request.complete) {
    response.end(body);
    return;
  }
  response.write(body);
  await drain(exchange, options.clock);
  response.end();
}

function describe(error: unknown): string {
  const hint = error instanceof TaplineError ? error.hint : undefined;
  return hint === undefined ? errorMessage(error) : `${errorMessage(error)}; ${hint}`;
}

/**
 * Lets a client that sends before it reads come to its end: closing a connection with unread bytes
 * would take the answer back.
 */
async function drain({ request }: Exchange, clock: Clock): Promise<void> {
  const done = new AbortController();
  let bytes = 0;
  request.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > lingerBytes) done.abort();
  });
  request.on('error', () => done.abort());
  request.once('close', () => done.abort());
  request.once('end', () => done.abort());
  try {
    await clock.sleep(lingerMs, { signal: done.signal });
  } catch (error) {
    if (!done.signal.aborted) throw error;
  }
}
