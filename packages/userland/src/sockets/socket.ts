import { errno, LinuxError } from '../errno.ts';
import type { Task } from '../kernel/task.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import { sendBrokenPipe } from '../kernel/deliver-signals.ts';
import { pollEvents } from '../files/open-file.ts';
import { type Channel, createChannelPair } from './channel.ts';
import { createHostChannel } from './host-network.ts';
import type { Network } from './network.ts';
import { isLocal, type SocketAddress } from './socket-address.ts';

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress;
}

const mostDatagrams = 256;
const largestBacklog = 4096;

/** A socket: what it is connected to, or who waits to be. */
export class Socket {
  readonly family: number;
  readonly kind: 'stream' | 'datagram' | 'sequence';
  readonly network: Network;
  readonly changed: WaitQueue = new WaitQueue();
  local: SocketAddress | undefined;
  remote: SocketAddress | undefined;
  channel: Channel | undefined;
  /** Who connected and was not accepted yet; undefined for who does not listen. */
  #waiting: Socket[] | undefined;
  #backlog = 0;
  readonly #datagrams: Datagram[] = [];
  /** The other end of a pair of datagram sockets. */
  #partner: Socket | undefined;
  #state: 'new' | 'connecting' | 'connected' | 'failed' = 'new';
  /** SO_ERROR */
  error = 0;
  closed = false;
  readonly options: Map<string, number> = new Map();
  passedPid = 0;

  constructor(network: Network, init: { readonly family: number; readonly kind: Socket['kind'] }) {
    this.network = network;
    this.family = init.family;
    this.kind = init.kind;
  }

  get protocol(): string {
    return this.kind === 'datagram' ? 'udp' : 'tcp';
  }

  get listening(): boolean {
    return this.#waiting !== undefined;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  /** Two that are connected. */
  static pair(
    network: Network,
    init: ConstructorParameters<typeof Socket>[1],
  ): readonly [Socket, Socket] {
    const sockets = [new Socket(network, init), new Socket(network, init)] as const;
    const nameless: SocketAddress = { kind: 'unix', path: '' };
    for (const [index, socket] of sockets.entries()) {
      socket.local = socket.remote = nameless;
      socket.#state = 'connected';
      if (init.kind === 'datagram' || init.kind === 'sequence')
        socket.#partner = sockets[1 - index];
    }
    if (init.kind === 'stream') {
      const [first, second] = createChannelPair();
      sockets[0].#attach(first);
      sockets[1].#attach(second);
    }
    return sockets;
  }

  #attach(channel: Channel): void {
    this.channel = channel;
    this.#state = 'connected';
    channel.changed.add(() => this.changed.wake());
  }

  bind(address: SocketAddress): void {
    if (this.local !== undefined) throw new LinuxError(errno.invalid);
    this.local = this.network.bind(this, address);
  }

  listen(backlog: number): void {
    if (this.kind === 'datagram') throw new LinuxError(errno.notSupported);
    if (this.#state !== 'new') throw new LinuxError(errno.invalid);
    if (this.local === undefined) {
      if (this.family === 1) throw new LinuxError(errno.invalid);
      this.bind({ kind: 'inet', host: '0.0.0.0', port: 0 });
    }
    this.#backlog = Math.min(Math.max(backlog, 1), largestBacklog);
    this.#waiting ??= [];
  }

  accept(): Socket | Wait {
    if (this.#waiting === undefined) throw new LinuxError(errno.invalid);
    const next = this.#waiting.shift();
    return next ?? new Wait([this.changed]);
  }

  /** To one of the guests, which has been found where the address is a file. */
  connectTo(listener: Socket | undefined, address: SocketAddress): 0 | Wait {
    if (listener === undefined) throw new LinuxError(errno.connectionRefused);
    if (this.kind === 'datagram') {
      this.remote = address;
      this.#partner = listener;
      return 0;
    }
    if (this.#state === 'connected') throw new LinuxError(errno.isConnected);
    const waiting = listener.#waiting;
    if (waiting === undefined || listener.closed) throw new LinuxError(errno.connectionRefused);
    if (waiting.length > listener.#backlog) return new Wait([listener.changed]);
    const [ours, theirs] = createChannelPair();
    const accepted = new Socket(this.network, { family: listener.family, kind: this.kind });
    if (this.local === undefined && address.kind !== 'unix') {
      this.local = this.network.bind(this, { ...address, port: 0 });
    }
    accepted.local = listener.local;
    accepted.remote = this.local ?? { kind: 'unix', path: '' };
    accepted.#attach(theirs);
    this.remote = address;
    this.#attach(ours);
    waiting.push(accepted);
    listener.changed.wake();
    return 0;
  }

  /** To an address of the internet: a guest's, or one outside. */
  connect(address: SocketAddress): 0 | Wait {
    const { network } = this;
    if (this.kind === 'datagram') {
      if (this.local === undefined) this.bind({ kind: 'inet', host: '0.0.0.0', port: 0 });
      this.remote = address;
      return 0;
    }
    if (this.#state === 'connecting') return new Wait([this.changed]);
    if (this.#state === 'failed') {
      this.#state = 'new';
      throw new LinuxError(this.takeError() as typeof errno.connectionRefused);
    }
    if (this.#state === 'connected') throw new LinuxError(errno.isConnected);
    if (isLocal(address) || address.kind === 'unix') {
      return this.connectTo(network.find('tcp', address), address);
    }
    if (network.host === undefined) throw new LinuxError(errno.networkUnreachable);
    this.local ??= network.bind(this, { kind: 'inet', host: '10.0.2.15', port: 0 });
    this.remote = address;
    this.#state = 'connecting';
    void this.#connectOutside(address);
    return new Wait([this.changed]);
  }

  async #connectOutside(address: Exclude<SocketAddress, { readonly kind: 'unix' }>): Promise<void> {
    try {
      const connection = await this.network.host?.connect({
        host: address.host,
        port: address.port,
      });
      if (connection === undefined || this.closed) {
        connection?.close();
        return;
      }
      this.#attach(createHostChannel(connection));
    } catch {
      this.#state = 'failed';
      this.error = errno.connectionRefused;
    }
    this.changed.wake();
  }

  /** Whether the connection that was begun is there; throws why not. */
  get connecting(): boolean {
    return this.#state === 'connecting';
  }

  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error;
  }

  read(most: number, how: { readonly peek: boolean }): Uint8Array | Wait {
    if (this.kind !== 'stream') {
      const datagram = this.receive(how);
      return datagram instanceof Wait ? datagram : datagram.bytes.subarray(0, most);
    }
    if (this.channel === undefined) throw new LinuxError(errno.notConnected);
    if (most === 0) return new Uint8Array(0);
    return this.channel.read(most, how) ?? new Wait([this.changed]);
  }

  /** Bytes that can be read at once: all of a stream that there are, or the next datagram. */
  get available(): number {
    return this.channel?.available ?? this.#datagrams[0]?.bytes.length ?? 0;
  }

  receive({ peek }: { readonly peek: boolean }): Datagram | Wait {
    const [first] = this.#datagrams;
    if (first !== undefined) {
      if (!peek) this.#datagrams.shift();
      this.#partner?.changed.wake();
      return first;
    }
    const nameless: SocketAddress = { kind: 'unix', path: '' };
    const over = this.kind === 'sequence' && this.#partner?.closed === true;
    if (over || this.#shut.read) return { bytes: new Uint8Array(0), from: nameless };
    return new Wait([this.changed]);
  }

  write(task: Task, bytes: Uint8Array, quiet = false): number | Wait {
    if (this.kind !== 'stream') return this.send(bytes, undefined);
    if (this.channel === undefined) throw new LinuxError(errno.notConnected);
    try {
      const taken = this.channel.write(bytes);
      return taken === 0 && bytes.length > 0 ? new Wait([this.changed]) : taken;
    } catch (error) {
      if (error instanceof LinuxError && error.errno === errno.brokenPipe && !quiet) {
        sendBrokenPipe(task);
      }
      throw error;
    }
  }

  /** A datagram; `target` is who has the address of a file. */
  send(
    bytes: Uint8Array,
    to: { readonly address: SocketAddress; readonly target?: Socket } | undefined,
  ): number | Wait {
    if (this.#shut.write) throw new LinuxError(errno.brokenPipe);
    const address = to?.address ?? this.remote;
    if (address === undefined) throw new LinuxError(errno.destinationRequired);
    if (this.family !== 1 && this.local === undefined) {
      this.bind({ kind: 'inet', host: '0.0.0.0', port: 0 });
    }
    const local = isLocal(address) ? this.network.find('udp', address) : undefined;
    const target = to?.target ?? (to === undefined ? this.#partner : undefined) ?? local;
    const copy = bytes.slice();
    if (target === undefined) {
      if (address.kind === 'unix') throw new LinuxError(errno.connectionRefused);
      void this.#askOutside(address, copy);
      return bytes.length;
    }
    if (target.closed) throw new LinuxError(errno.connectionRefused);
    if (target.#datagrams.length >= mostDatagrams) return new Wait([target.changed, this.changed]);
    target.#datagrams.push({ bytes: copy, from: this.local ?? { kind: 'unix', path: '' } });
    target.changed.wake();
    return bytes.length;
  }

  /** Nothing but name servers is known outside; other datagrams are lost, as datagrams may be. */
  async #askOutside(address: SocketAddress, bytes: Uint8Array): Promise<void> {
    const answer = await this.network.answer(address, bytes);
    if (answer === undefined || this.closed) return;
    this.#datagrams.push({ bytes: answer, from: address });
    this.changed.wake();
  }

  readonly #shut = { read: false, write: false };

  shutdown(how: { readonly read: boolean; readonly write: boolean }): void {
    if (!this.connected && this.kind === 'stream') throw new LinuxError(errno.notConnected);
    this.#shut.read ||= how.read;
    this.#shut.write ||= how.write;
    this.channel?.shutdown(how);
    this.changed.wake();
  }

  poll(): number {
    if (this.#waiting !== undefined) return this.#waiting.length > 0 ? pollEvents.in : 0;
    if (this.kind !== 'stream') {
      const gone = this.kind === 'sequence' && this.#partner?.closed === true;
      const readable = this.#datagrams.length > 0 || gone ? pollEvents.in : 0;
      return readable | pollEvents.out | (gone ? pollEvents.hangUp : 0);
    }
    const { channel } = this;
    if (channel === undefined) {
      if (this.#state === 'connecting') return 0;
      if (this.#state === 'failed')
        return pollEvents.in | pollEvents.out | pollEvents.error | pollEvents.hangUp;
      return pollEvents.out | pollEvents.hangUp;
    }
    const readable = channel.available > 0 || channel.ended;
    return (
      (readable ? pollEvents.in : 0) |
      (channel.room > 0 || channel.broken ? pollEvents.out : 0) |
      (channel.ended && channel.broken ? pollEvents.hangUp : 0) |
      (channel.ended ? readHangUp : 0)
    );
  }

  close(): void {
    this.closed = true;
    this.channel?.shutdown({ read: true, write: true });
    for (const waiting of this.#waiting ?? []) waiting.close();
    this.#waiting = undefined;
    this.network.release(this);
    this.#partner?.changed.wake();
    this.changed.wake();
  }
}

/** POLLRDHUP */
const readHangUp = 0x2000;
