import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import { readText, refusalOf, requestOptions } from './request-path.ts';

/** A POST below the API, for what is no object, such as reviews; the answer's JSON. */
export async function sendJson(
  context: KubeconfigContext,
  { path, body }: { readonly path: string; readonly body: unknown },
  { signal }: { readonly signal: AbortSignal },
): Promise<unknown> {
  const url = new URL(path, context.baseUrl);
  const send = url.protocol === 'http:' ? plainRequest : tlsRequest;
  const options = requestOptions(context);
  const text = JSON.stringify(body);
  const headers = {
    ...(options.headers as Readonly<Record<string, string>>),
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    send(url, { ...options, headers, method: 'POST', signal }, resolve)
      .on('error', (cause) =>
        reject(new TaplineError('unreachable', `${url.origin} did not answer`, { cause })),
      )
      .end(text);
  });
  const { statusCode = 0 } = response;
  if (statusCode >= 300) throw await refusalOf(response);
  return JSON.parse(await readText(response));
}
