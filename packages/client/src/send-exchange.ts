import { type Clock, collectBytes, defined, TaplineError } from '@tapline/base';
import type {
  ExchangeRequest,
  HttpAnswer,
  ResourceExchange,
  SendHttp,
} from './resource-exchange.ts';
import { statusError } from './status-error.ts';

const maxAnswerBytes = 256 * 1024 * 1024;
const defaultTimeoutMs = 30_000;

/** Requests by a function that carries one: where there is no HTTP client of Node's, as in a page. */
export function createSendExchange(init: {
  readonly send: SendHttp;
  /** Sent as User-Agent, and the name that field ownership is recorded under. */
  readonly userAgent: string;
  readonly clock: Clock;
  /** No answer to a plain request within this time is `unavailable`; 30 s where absent. */
  readonly timeoutMs?: number;
}): ResourceExchange {
  const { send, userAgent, clock, timeoutMs = defaultTimeoutMs } = init;
  const disposing = new AbortController();

  async function open(request: ExchangeRequest): Promise<HttpAnswer> {
    const { method, path, body, contentType = 'application/json', signal } = request;
    const bytes = body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body));
    const signals = [disposing.signal, ...(signal === undefined ? [] : [signal])];
    const answer = await send({
      method,
      path,
      headers: {
        'user-agent': userAgent,
        accept: 'application/json',
        ...(bytes === undefined ? {} : { 'content-type': contentType }),
      },
      signal: AbortSignal.any(signals),
      ...defined({ body: bytes }),
    });
    if (answer.status < 300) return answer;
    throw statusError(answer.status, parseIfJson(await readAll(answer)));
  }

  return {
    async json(request) {
      const late = new AbortController();
      const timer = new AbortController();
      async function expire(): Promise<void> {
        try {
          await clock.sleep(timeoutMs, { signal: timer.signal });
        } catch {
          // Answered before.
          return;
        }
        const what = `${request.method} ${request.path} was not answered in ${timeoutMs} ms`;
        late.abort(new TaplineError('unavailable', what));
      }
      const expiry = expire();
      try {
        const signals = [late.signal, ...(request.signal === undefined ? [] : [request.signal])];
        const answer = await open({ ...request, signal: AbortSignal.any(signals) });
        const text = new TextDecoder().decode(await readAll(answer));
        return JSON.parse(text) as unknown;
      } catch (cause) {
        if (!(cause instanceof SyntaxError)) throw cause;
        throw new TaplineError('unexpected_answer', 'the API did not answer with JSON', { cause });
      } finally {
        timer.abort('answered');
        await expiry;
      }
    },
    async open(request) {
      const answer = await open(request);
      return { body: answer.body, destroy: () => answer.cancel() };
    },
    [Symbol.asyncDispose]() {
      disposing.abort(new TaplineError('unavailable', 'the client is closed'));
      return Promise.resolve();
    },
  };
}

function readAll({ body }: HttpAnswer): Promise<Uint8Array> {
  return collectBytes(body, {
    maxBytes: maxAnswerBytes,
    tooLarge: () =>
      new TaplineError('unexpected_answer', `an answer has more than ${maxAnswerBytes} bytes`),
  });
}

function parseIfJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    // No Status; what HTTP says is all there is.
    return undefined;
  }
}
