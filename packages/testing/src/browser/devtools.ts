import type { Readable, Writable } from 'node:stream';
import { TaplineError } from '@tapline/base';

/** An event of the browser, or of the page whose session it names. */
export interface DevtoolsEvent {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly sessionId?: string;
}

export type DevtoolsAnswer = Readonly<Record<string, unknown>>;

interface Incoming extends Partial<DevtoolsEvent> {
  readonly id?: number;
  readonly result?: DevtoolsAnswer;
  readonly error?: { readonly message: string };
}

/** Chrome DevTools Protocol over two pipes: JSON messages, each ended by a zero byte. */
export class Devtools {
  readonly #commands: Writable;
  readonly #waiting = new Map<number, PromiseWithResolvers<DevtoolsAnswer>>();
  readonly #listeners = new Set<(event: DevtoolsEvent) => void>();
  #lastId = 0;
  #ended = false;

  constructor(pipes: { readonly commands: Writable; readonly messages: Readable }) {
    this.#commands = pipes.commands;
    this.#commands.on('error', () => this.#end());
    let text = '';
    pipes.messages.setEncoding('utf8');
    pipes.messages.on('data', (chunk: string) => {
      const messages = (text + chunk).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Incoming);
    });
    pipes.messages.on('close', () => this.#end());
    pipes.messages.on('error', () => this.#end());
  }

  /** Rejects with `browser_refused`, or `browser_ended` where no answer can come any more. */
  send(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    sessionId?: string,
  ): Promise<DevtoolsAnswer> {
    if (this.#ended) return Promise.reject(browserEnded(method));
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<DevtoolsAnswer>();
    this.#waiting.set(id, answer);
    this.#commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return answer.promise.catch((error: unknown) => {
      if (error instanceof TaplineError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new TaplineError('browser_refused', `${method}: ${why}`);
    });
  }

  /** Hands events to `listener` until what it returns is called. */
  listen(listener: (event: DevtoolsEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #take(message: Incoming): void {
    const { id, method, params = {}, sessionId } = message;
    if (id === undefined) {
      if (method === undefined) return;
      const event = { method, params, ...(sessionId !== undefined && { sessionId }) };
      for (const listener of this.#listeners) listener(event);
      return;
    }
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (message.error === undefined) answer?.resolve(message.result ?? {});
    else answer?.reject(new Error(message.error.message));
  }

  #end(): void {
    this.#ended = true;
    for (const answer of this.#waiting.values()) answer.reject(browserEnded('its answer'));
    this.#waiting.clear();
  }
}

function browserEnded(before: string): TaplineError {
  return new TaplineError('browser_ended', `the browser ended before ${before}`);
}
