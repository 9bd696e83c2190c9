import { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import type { CertifiedSocket } from '@tapline/base';
import { CloseCode, type TunnelStream } from '@tapline/tunnel';

/** Who is at the other end of a tunnel, as its TLS connection has shown. */
export interface TunnelPeer {
  readonly authorized: boolean;
  readonly certificate: PeerCertificate;
}

/** What a peer may still send to who does not listen any more. */
const maxDiscardedBytes = 262_144;

/** A stream of a tunnel as a connection that Node's HTTP client and server can use. */
export class TunnelSocket extends Duplex implements CertifiedSocket {
  readonly #stream: TunnelStream;
  readonly #peer: TunnelPeer | undefined;
  #reading = false;
  #hasEnded = false;
  #discardedBytes = 0;

  constructor(stream: TunnelStream, peer?: TunnelPeer) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.#peer = peer;
    const onClosed = (): void => {
      const reason: unknown = stream.closed.reason;
      if (reason instanceof Error) this.destroy(lost(reason));
    };
    if (stream.closed.aborted) onClosed();
    else stream.closed.addEventListener('abort', onClosed, { once: true });
  }

  /** The peer's certificate is looked at as if this were the TLS connection itself. */
  get authorized(): boolean {
    return this.#peer?.authorized ?? false;
  }

  getPeerCertificate(): PeerCertificate | Record<string, never> {
    return this.#peer?.certificate ?? {};
  }

  /** For limits by address: the device, as it shares no address with others. */
  get remoteAddress(): string {
    const { CN } = (this.#peer?.certificate.subject ?? {}) as { readonly CN?: unknown };
    return typeof CN === 'string' ? CN : '';
  }

  // What HTTP asks of a connection beside reading and writing.
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#listen();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    void this.#push(chunk, done);
  }

  override _final(done: () => void): void {
    this.#hasEnded = true;
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#stream.closed.aborted) {
      // As with TCP: what was written before the end still goes out, and a reset would drop it.
      if (error === null && this.#hasEnded) this.#listen();
      else this.#stream.reset(CloseCode.Normal, 'the connection ended');
    }
    done(error);
  }

  async #push(chunk: Uint8Array, done: (error?: Error | null) => void): Promise<void> {
    let failure: unknown;
    try {
      // Once this is done the chunk is its owner's again, who may read the next part of a file into it.
      if (!this.#stream.write(new Uint8Array(chunk))) await this.#stream.writable();
    } catch (error) {
      failure = lost(error);
    }
    done(failure as Error | undefined);
  }

  #listen(): void {
    if (!this.#reading) void this.#pull();
  }

  #discard(part: Uint8Array): boolean {
    this.#discardedBytes += part.length;
    if (this.#discardedBytes <= maxDiscardedBytes) return true;
    this.#stream.reset(CloseCode.Normal, 'the connection ended');
    return false;
  }

  async #pull(): Promise<void> {
    this.#reading = true;
    try {
      for (;;) {
        const part = await this.#stream.read();
        if (this.destroyed) {
          if (part === undefined || !this.#discard(part)) break;
          continue;
        }
        if (!this.push(part ?? null) || part === undefined) break;
      }
    } catch (error) {
      this.destroy(lost(error));
    }
    this.#reading = false;
  }
}

/** As a connection breaks: whoever speaks HTTP over it knows that, and tries again. */
function lost(cause: unknown): Error {
  return Object.assign(new Error('the tunnel was lost', { cause }), { code: 'ECONNRESET' });
}
