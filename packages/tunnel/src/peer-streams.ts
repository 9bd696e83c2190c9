import { closeError, CloseCode } from './close-code.ts';
import { maxStreamId } from './frame.ts';
import type { Stream } from './stream.ts';

/** Clients open odd streams, servers even ones; numbers are used once, in order. */
export type Role = 'client' | 'server';

/** The streams of a session by their numbers, and which numbers were used. */
export class PeerStreams {
  readonly #streams = new Map<number, Stream>();
  readonly #ownParity: number;
  #nextOwn: number;
  #lastOfPeer = 0;
  #ofPeer = 0;

  constructor(role: Role) {
    this.#ownParity = role === 'client' ? 1 : 0;
    this.#nextOwn = role === 'client' ? 1 : 2;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** How many of them the peer opened. */
  get ofPeer(): number {
    return this.#ofPeer;
  }

  get ofThisEnd(): number {
    return this.#streams.size - this.#ofPeer;
  }

  nextId(): number {
    const id = this.#nextOwn;
    if (id >= maxStreamId) throw closeError(CloseCode.TooManyStreams, 'all numbers are used up');
    this.#nextOwn += 2;
    return id;
  }

  /** A number that the peer opens a stream with. Throws `tunnel_frame_invalid`. */
  takePeerId(id: number): void {
    if (id % 2 === this.#ownParity || id <= this.#lastOfPeer || id >= maxStreamId) {
      throw closeError(CloseCode.Protocol, `stream ${id} cannot be opened by the peer now`);
    }
    this.#lastOfPeer = id;
  }

  add(stream: Stream): void {
    this.#streams.set(stream.id, stream);
    if (stream.id % 2 !== this.#ownParity) this.#ofPeer += 1;
  }

  /** Undefined for a stream that has ended. Throws `tunnel_frame_invalid` for one that never was. */
  get(id: number): Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream !== undefined) return stream;
    const was = id % 2 === this.#ownParity ? id < this.#nextOwn : id <= this.#lastOfPeer;
    if (id > 0 && was) return undefined;
    throw closeError(CloseCode.Protocol, `stream ${id} was never opened`);
  }

  delete(stream: Stream): boolean {
    if (!this.#streams.delete(stream.id)) return false;
    if (stream.id % 2 !== this.#ownParity) this.#ofPeer -= 1;
    return true;
  }

  [Symbol.iterator](): IterableIterator<Stream> {
    return this.#streams.values();
  }
}
