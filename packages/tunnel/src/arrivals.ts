import { ackFlag, headerBytes } from './frame.ts';

/**
 * How far the peer's sequenced bytes have come, over all connections. A Data frame that a cut interrupted comes
 * again from its beginning: what its stream has had of it is passed over.
 */
export class Arrivals {
  /** Complete sequenced frames, in bytes. */
  position = 0;
  /** An acknowledgement was asked for. */
  ackDue = false;
  /** Of the Data frame under way: what came on this connection, and what its stream has had. */
  #frameBytes = 0;
  #frameDelivered = 0;

  /** A Data frame begins, or the connection that may have carried one is another. */
  beginsFrame(): void {
    this.#frameBytes = 0;
  }

  /** What of a part of a Data frame's body is new to its stream, if anything. */
  freshOf(part: Uint8Array): Uint8Array | undefined {
    const had = this.#frameBytes;
    this.#frameBytes += part.length;
    if (this.#frameBytes <= this.#frameDelivered) return undefined;
    const fresh = had < this.#frameDelivered ? part.subarray(this.#frameDelivered - had) : part;
    this.#frameDelivered = this.#frameBytes;
    return fresh;
  }

  /** A Data frame is whole. */
  endsFrame(flags: number, length: number): void {
    this.#frameBytes = this.#frameDelivered = 0;
    this.sequenced(flags, length);
  }

  /** A sequenced frame with a body of so many bytes has arrived. */
  sequenced(flags: number, length: number): void {
    this.position += headerBytes + length;
    if ((flags & ackFlag) !== 0) this.ackDue = true;
  }
}
