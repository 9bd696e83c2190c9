import type { TLSSocket } from 'node:tls';

/** A stream of bytes both ways, however a multiplexer names it. */
export interface BenchStream {
  /** False: wait for `writable` before writing more. */
  write(bytes: Uint8Array): boolean;
  writable(): Promise<void>;
  onData(take: (bytes: Uint8Array) => void): void;
}

/** What a stream is used for. `echo` is the control stream, `bulk` carries blobs without end. */
export type StreamUse = 'echo' | 'bulk' | 'sink';

/** One way of having many streams in one TLS connection. */
export interface BenchMux {
  readonly name: string;
  /** Takes streams of the client; the socket is open. */
  serve(socket: TLSSocket, accept: (use: StreamUse, stream: BenchStream) => void): void;
  connect(socket: TLSSocket): Promise<BenchClient>;
}

export interface BenchClient {
  open(use: StreamUse): Promise<BenchStream>;
}
