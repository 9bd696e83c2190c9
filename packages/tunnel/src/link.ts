import { FrameDecoder, type FrameSink } from './frame-decoder.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** What a connection's session does about what happens to it. */
export interface LinkOwner extends FrameSink {
  linkReceived(link: Link, bytes: Uint8Array): void;
  linkDrained(link: Link): void;
  linkClosed(link: Link): void;
}

/** A connection that carries a session: an object with no closures, as a gateway has many. */
export class Link implements TransportEvents {
  readonly #owner: LinkOwner;
  readonly transport: Transport;
  readonly decoder: FrameDecoder;
  readonly startedMs: number;
  greeted = false;
  heardMs: number;
  /** Whether an answer is being waited for. */
  asked = false;
  /** Silent for too long, unless something is waiting to be read. */
  doubted = false;

  constructor(
    owner: LinkOwner,
    init: { readonly transport: Transport; readonly startedMs: number },
  ) {
    this.#owner = owner;
    this.transport = init.transport;
    this.decoder = new FrameDecoder(owner);
    this.startedMs = this.heardMs = init.startedMs;
  }

  receive(bytes: Uint8Array): void {
    this.#owner.linkReceived(this, bytes);
  }

  drained(): void {
    this.#owner.linkDrained(this);
  }

  closed(): void {
    this.#owner.linkClosed(this);
  }
}
