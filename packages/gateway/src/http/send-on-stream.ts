import { concatBytes, isTaplineError, TaplineError } from '@tapline/base';
import type { HttpAnswer, HttpMessage } from '@tapline/client';
import { CloseCode, type TunnelStream } from '@tapline/tunnel';
import { createBodyReader } from './body-reader.ts';
import { ByteReader } from './byte-reader.ts';
import { parseAnswerHead } from './parse-answer-head.ts';

const maxHeadBytes = 65_536;
const known = new Set(['unexpected_answer', 'bad_request', 'unavailable']);

/**
 * Sends one request of HTTP/1.1 in a stream of its own, where the platform's client has no connections to
 * be given, as in a browser. A stream costs no round trip, so none is used twice. Throws `unavailable`
 * where the stream ends before its time, `unexpected_answer` where the answer is none.
 */
export async function sendOnStream(
  stream: TunnelStream,
  { method, host, path, headers, body, signal }: HttpMessage & { readonly host: string },
): Promise<HttpAnswer> {
  const cancel = (): void => stream.reset(CloseCode.Normal, 'the request is not wanted any more');
  signal?.throwIfAborted();
  signal?.addEventListener('abort', cancel, { once: true });
  const done = (): void => signal?.removeEventListener('abort', cancel);
  stream.closed.addEventListener('abort', done, { once: true });
  try {
    const head = encodeHead({ method, host, path, headers, length: body?.length });
    if (!stream.write(body === undefined ? head : concatBytes([head, body]))) {
      await stream.writable();
    }
    // Not ended yet: a server takes the end of a request's connection for the end of its client.
    const reader = new ByteReader(stream);
    const answer = parseAnswerHead(await reader.until('\r\n\r\n', maxHeadBytes));
    const isEmpty = method === 'HEAD' || answer.status === 204 || answer.status === 304;
    const parts = createBodyReader(reader, { headers: answer.headers, isEmpty });
    return { ...answer, body: reading(parts, { signal, cancel }), cancel };
  } catch (error) {
    cancel();
    throw lost(error, signal);
  }
}

async function* reading(
  parts: AsyncIterable<Uint8Array>,
  { signal, cancel }: { readonly signal: AbortSignal | undefined; readonly cancel: () => void },
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* parts;
  } catch (error) {
    throw lost(error, signal);
  } finally {
    cancel();
  }
}

function encodeHead(request: {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number | undefined;
}): Uint8Array {
  const { method, host, path, headers, length } = request;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    'connection: close',
    ...(length === undefined ? [] : [`content-length: ${length}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const broken = lines.find((line) => /[\r\n\0]/.test(line));
  if (broken !== undefined) {
    throw new TaplineError(
      'bad_request',
      `a line of a request's head has a break in it: ${JSON.stringify(broken.slice(0, 80))}`,
    );
  }
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`);
}

function lost(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (isTaplineError(error) && known.has(error.code)) return error;
  return new TaplineError('unavailable', 'the tunnel was lost before the answer was whole', {
    cause: error,
  });
}
