import { TaplineError } from '@tapline/base';
import type { HttpTransport } from '@tapline/registry';

const timeoutMs = 10_000;
const maxAnswerBytes = 4 * 1024 * 1024;

/**
 * Sends JSON and answers what came back, as text. Throws `chat_refused`; addresses of webhooks are
 * secrets, so it names the host only.
 */
export async function sendJson(
  transport: HttpTransport,
  request: {
    readonly method: 'GET' | 'POST' | 'PUT';
    readonly url: string;
    readonly token?: string;
    readonly body?: unknown;
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  },
): Promise<string> {
  const { method, token } = request;
  const url = new URL(request.url);
  const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
  const timeout = AbortSignal.timeout(request.timeoutMs ?? timeoutMs);
  const response = await transport.send({
    method,
    url,
    headers: {
      ...(body !== undefined && {
        'content-type': 'application/json',
        'content-length': String(body.length),
      }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body }),
    signal: request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]),
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > maxAnswerBytes) {
      throw new TaplineError(
        'chat_refused',
        `${url.host} answers with more than ${maxAnswerBytes} bytes`,
      );
    }
    chunks.push(chunk);
  }
  if (response.status >= 200 && response.status < 300)
    return Buffer.concat(chunks).toString('utf8');
  throw new TaplineError('chat_refused', `${url.host} answered ${response.status}`, {
    details: { status: response.status },
  });
}
