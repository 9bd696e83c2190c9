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
  throw await refusalOf(response);
}

/** The error that such an answer says, whatever its body is. */
export async function refusalOf(response: IncomingMessage): Promise<TaplineError> {
  const { statusError } = await import('@tapline/client');
  const text = await readText(response);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's page is no Status; its HTTP status says all there is.
    body = undefined;
  }
  return statusError(response.statusCode ?? 0, body);
}

export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
