import { request as httpsRequest } from 'node:https';
import { TaplineError } from '@tapline/base';
import { errorOfAnswer } from './error-body.ts';

export interface ClientTls {
  /** Only this authority is trusted; absent those of the system. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const maxAnswerBytes = 1_048_576;
const timeoutMs = 30_000;

/** One POST of JSON. Throws what the server answered, or `gateway_unreachable`. */
export async function postJson(
  url: URL,
  options: { readonly body: unknown; readonly tls: ClientTls; readonly signal?: AbortSignal },
): Promise<unknown> {
  const { status, text } = await exchange(url, options);
  if (status !== 200) throw errorOfAnswer(status, text);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new TaplineError('gateway_error', 'the gateway did not answer with JSON', { cause });
  }
}

function exchange(
  url: URL,
  { body, tls, signal }: Parameters<typeof postJson>[1],
): Promise<{ readonly status: number; readonly text: string }> {
  const text = JSON.stringify(body);
  const timeout = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      if (signal?.aborted === true) return reject(signal.reason);
      reject(new TaplineError('gateway_unreachable', `${url.host} does not answer`, { cause }));
    };
    const request = httpsRequest(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      ...tls,
      agent: false,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    request.once('error', fail);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes)
          response.destroy(new Error(`answer exceeds ${maxAnswerBytes} bytes`));
        else chunks.push(chunk);
      });
      response.once('error', fail);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    request.end(text);
  });
}
