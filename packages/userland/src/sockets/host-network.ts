import { errno, LinuxError } from '../errno.ts';
import { ByteQueue } from '../files/byte-queue.ts';
import { WaitQueue } from '../kernel/wait-queue.ts';
import type { Channel } from './channel.ts';

/** A TCP connection outside. */
export interface HostConnection {
  readonly input: AsyncIterable<Uint8Array>;
  /** Not called again before the promise is kept. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Nothing more is written. */
  end(): void;
  close(): void;
}

/** The way out, as far as guests are allowed one. Without it there is none. */
export interface HostNetwork {
  /** `host` is an IPv4 or IPv6 address. A rejection is a connection refused. */
  connect(to: { readonly host: string; readonly port: number }): Promise<HostConnection>;
  /** Addresses of a name, for guests that ask a name server; none where there is no such name. */
  resolve(name: string): Promise<readonly string[]>;
}

const receiveBytes = 262_144;

/** A connection to the outside; no more is fetched than somebody may want to read. */
export function createHostChannel(connection: HostConnection): Channel {
  const changed = new WaitQueue();
  const incoming = new ByteQueue();
  const chunks = connection.input[Symbol.asyncIterator]();
  const state = { fetching: false, ended: false, sending: false, shut: false, broken: false };
  const fetch = async (): Promise<void> => {
    if (state.fetching || state.ended) return;
    state.fetching = true;
    try {
      while (incoming.size < receiveBytes) {
        const { done, value } = await chunks.next();
        if (done === true) {
          state.ended = true;
          break;
        }
        incoming.push(value.slice());
        changed.wake();
      }
    } catch {
      state.ended = true;
      state.broken = true;
    }
    state.fetching = false;
    changed.wake();
  };
  const send = async (taken: Promise<void>): Promise<void> => {
    state.sending = true;
    try {
      await taken;
    } catch {
      state.broken = true;
    }
    state.sending = false;
    changed.wake();
  };
  void fetch();
  return {
    changed,
    get available() {
      return incoming.size;
    },
    get ended() {
      return state.ended;
    },
    get room() {
      return state.sending || state.shut ? 0 : receiveBytes;
    },
    get broken() {
      return state.shut || state.broken;
    },
    read(most, { peek }) {
      if (incoming.size === 0) return state.ended ? new Uint8Array(0) : undefined;
      const bytes = peek ? incoming.peek(most) : incoming.take(most);
      void fetch();
      return bytes;
    },
    write(bytes) {
      if (state.shut || state.broken) throw new LinuxError(errno.brokenPipe);
      if (state.sending) return 0;
      const part = bytes.slice(0, receiveBytes);
      const taken = connection.write(part);
      if (taken !== undefined) void send(taken);
      return part.length;
    },
    shutdown({ read, write }) {
      if (write && !state.shut) {
        state.shut = true;
        connection.end();
      }
      if (read) {
        state.ended = true;
        connection.close();
      }
      changed.wake();
    },
    files: undefined,
  };
}
