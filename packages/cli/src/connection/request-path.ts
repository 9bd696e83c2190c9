import { TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest, type RequestOptions } from 'node:https';

/** What TLS and headers a request of this context needs, for HTTP and WebSocket alike. */
export function requestOptions(context: KubeconfigContext): RequestOptions {
  const { credentials } = context;
  return {
    ...(context.ca === undefined ? {} : { ca: context.ca }),
    ...(credentials.kind === 'certificate'
      ? { cert: credentials.certificate, key: credentials.key }
      : {}),
    headers: credentials.kind === 'token' ? { authorization: `Bearer ${credentials.token}` } : {},
  };
}

/** A GET below the API, for subresources that are streams or no objects; the answer is 200. */
export async function requestPath(
  context: KubeconfigContext,
  path: string,
  options: { readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const url = new URL(path, context.baseUrl);
  const request = url.protocol === 'http:' ? plainRequest : tlsRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { ...requestOptions(context), signal: options.signal }, resolve)
      .on('error', (cause) => {
        reject(
          options.signal.aborted
            ? new TaplineError('interrupted', 'stopped')
            : new TaplineError('unreachable', `${url.origin} did not answer`, { cause }),
        );
      })
      .end();
  });
  if (response.statusCode === 200) return response;
  throw await errorOf(response);
}

/** The error a Kubernetes Status says. */
async function errorOf(response: IncomingMessage): Promise<TaplineError> {
  const text = await readText(response);
  const code = response.statusCode ?? 0;
  return (
    statusError(text) ??
    new TaplineError(
      'unexpected_answer',
      `the control plane answered ${code}: ${text.slice(0, 200)}`,
    )
  );
}

export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const reasonCodes: Readonly<Record<string, string>> = {
  NotFound: 'not_found',
  Forbidden: 'forbidden',
  Unauthorized: 'unauthorized',
  ServiceUnavailable: 'unavailable',
  BadRequest: 'bad_request',
};

/** The error in a Kubernetes Status object, with our own code where its causes carry one. */
export function statusError(text: string): TaplineError | undefined {
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { message, reason, details } = (status ?? {}) as {
    readonly message?: unknown;
    readonly reason?: unknown;
    readonly details?: { readonly causes?: readonly { readonly reason?: unknown }[] };
  };
  if (typeof message !== 'string') return undefined;
  const own = details?.causes?.map((one) => one.reason).find(isOwnCode);
  const code = own ?? (typeof reason === 'string' ? reasonCodes[reason] : undefined) ?? 'failed';
  return new TaplineError(code, message);
}

/** Kubernetes's own reasons are in CamelCase. */
function isOwnCode(reason: unknown): reason is string {
  return typeof reason === 'string' && /^[a-z0-9_]+$/.test(reason);
}
