import { createHash } from 'node:crypto';
import { type Clock, errorMessage, isRecord, isTaplineError, type Log } from '@tapline/base';
import { parseChatCommand } from '@tapline/opsbot';
import type { HttpTransport } from '@tapline/registry';
import type { MatrixConfiguration } from '../../monitoring/monitoring-configuration.ts';
import type { ChatDesk } from './chat-desk.ts';
import { sendJson } from './send-json.ts';

/** A room of Matrix: it is told things, and what people say to OpsBot there is done. */
export interface MatrixRoom extends AsyncDisposable {
  /** The same `id` twice is one message. */
  tell(id: string, text: string): Promise<void>;
}

const pollMs = 30_000;
const retryMs = 5000;
/** How a message to OpsBot begins. */
const address = /^!tapline\s+/;

/**
 * Follows a room by the client-server API, version 3: https://spec.matrix.org/latest/client-server-api/.
 * Who has sent an event is what the homeserver says; what was said before the start is not looked at.
 * Rooms with encryption cannot be read.
 */
export function openMatrixRoom(init: {
  readonly configuration: MatrixConfiguration;
  readonly desk: ChatDesk;
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly log: Log;
}): MatrixRoom {
  const { configuration, desk, transport, clock, log } = init;
  const { homeserver, token, room, people } = configuration;
  const stopping = new AbortController();
  const { signal } = stopping;
  const urlOf = (path: string): string => new URL(`/_matrix/client/v3/${path}`, homeserver).href;
  const running = follow();

  async function follow(): Promise<void> {
    let since: string | undefined;
    while (!signal.aborted) {
      try {
        const { next, events } = await sync(since);
        // The first answer is what was before.
        if (since !== undefined) for (const event of events) await take(event);
        since = next;
      } catch (error) {
        if (signal.aborted) return;
        log.warn('a room of Matrix is not followed', { error: errorMessage(error) });
        await clock.sleep(retryMs, { signal }).catch(() => undefined);
      }
    }
  }

  async function sync(since: string | undefined) {
    const filter = { room: { rooms: [room], timeline: { limit: 50, types: ['m.room.message'] } } };
    const query = new URLSearchParams({
      filter: JSON.stringify(filter),
      timeout: since === undefined ? '0' : String(pollMs),
      ...(since !== undefined && { since }),
    });
    const url = urlOf(`sync?${query.toString()}`);
    const timeoutMs = pollMs + 15_000;
    return readSync(
      await sendJson(transport, { method: 'GET', url, token, timeoutMs, signal }),
      room,
    );
  }

  async function take({ id, sender, text }: RoomMessage): Promise<void> {
    if (!address.test(text)) return;
    let answer: string;
    try {
      const command = parseChatCommand(text.replace(address, ''));
      answer = (await desk.say({ chat: 'matrix', id: sender, people, command })).text;
    } catch (error) {
      if (!isTaplineError(error)) throw error;
      answer = `not done: ${errorMessage(error)}${error.hint === undefined ? '' : ` (${error.hint})`}`;
    }
    await tell(`answer ${id}`, answer);
  }

  async function tell(id: string, text: string): Promise<void> {
    // The homeserver takes a transaction once: what is sent again after a loss is no second message.
    const transaction = createHash('sha256').update(id).digest('hex').slice(0, 32);
    const path = `rooms/${encodeURIComponent(room)}/send/m.room.message/${transaction}`;
    const body = { msgtype: 'm.notice', body: text.slice(0, 8000) };
    await sendJson(transport, { method: 'PUT', url: urlOf(path), token, body, signal });
  }

  return {
    tell,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}

interface RoomMessage {
  readonly id: string;
  readonly sender: string;
  readonly text: string;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((is, name) => (isRecord(is) ? is[name] : undefined), value);
}

/** Messages of people in an answer of `sync`; notices are of programs, also ours. */
function readSync(
  answer: string,
  room: string,
): { readonly next: string; readonly events: readonly RoomMessage[] } {
  const document: unknown = JSON.parse(answer);
  const timeline = at(document, 'rooms', 'join', room, 'timeline', 'events');
  const events = Array.isArray(timeline) ? (timeline as unknown[]) : [];
  return {
    next: String(at(document, 'next_batch')),
    events: events.flatMap((event): RoomMessage[] => {
      const id = at(event, 'event_id');
      const sender = at(event, 'sender');
      const text = at(event, 'content', 'body');
      const isText =
        at(event, 'type') === 'm.room.message' && at(event, 'content', 'msgtype') === 'm.text';
      if (!isText || typeof id !== 'string' || typeof sender !== 'string') return [];
      return typeof text === 'string' ? [{ id, sender, text: text.slice(0, 2000) }] : [];
    }),
  };
}
