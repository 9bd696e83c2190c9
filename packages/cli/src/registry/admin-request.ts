import { isRecord, TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { readText, requestOptions } from '../connection/request-path.ts';

/** A request to the administration of the registry, `/registry/v1/…`; throws what it refuses with. */
export async function adminRequest(
  context: KubeconfigContext,
  { method, path }: { readonly method: 'GET' | 'POST'; readonly path: string },
  { signal }: { readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const url = new URL(path, context.baseUrl);
  const send = url.protocol === 'http:' ? plainRequest : tlsRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    send(url, { ...requestOptions(context), method, signal }, resolve)
      .on('error', (cause) => {
        reject(
          signal.aborted
            ? new TaplineError('interrupted', 'stopped')
            : new TaplineError('unreachable', `${url.origin} did not answer`, { cause }),
        );
      })
      .end();
  });
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) return response;
  throw refusal(statusCode, await readText(response));
}

/** The same, with the answer's JSON. */
export async function adminJson<T>(
  context: KubeconfigContext,
  request: { readonly method: 'GET' | 'POST'; readonly path: string },
  options: { readonly signal: AbortSignal },
): Promise<T> {
  return JSON.parse(await readText(await adminRequest(context, request, options))) as T;
}

function refusal(status: number, text: string): TaplineError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's page: its status says all there is.
    body = undefined;
  }
  const said = isRecord(body) ? body : {};
  const code = typeof said['code'] === 'string' ? said['code'] : codeOf(status);
  const message = typeof said['message'] === 'string' ? said['message'] : `HTTP status ${status}`;
  const hint = said['hint'];
  return new TaplineError(code, message, typeof hint === 'string' ? { hint } : {});
}

function codeOf(status: number): string {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  return status === 404 ? 'not_found' : 'unavailable';
}
