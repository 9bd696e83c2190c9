import type { StreamClass, StreamOpening } from './open-body.ts';

/** What `open` is asked for. */
export interface OpenOptions {
  readonly class: StreamClass;
  readonly name: string;
  /** For whoever accepts it; up to 8 KiB. */
  readonly header?: Uint8Array;
  /** Of interactive streams; 20 ms unless given. */
  readonly deadlineMs?: number;
}

/** A stream of bytes both ways, with backpressure. One reader and one writer. */
export interface TunnelStream {
  readonly id: number;
  readonly opening: StreamOpening;
  /**
   * Queues bytes, which must not be changed afterwards. False: enough is queued, wait for
   * `writable`. Throws why the stream ended, or `stream_closed` after `end`.
   */
  write(bytes: Uint8Array): boolean;
  /** Resolves when more may be written. Rejects with why the stream ended. */
  writable(): Promise<void>;
  /** Nothing more will be written; what was goes out. */
  end(): void;
  /** The next bytes, or undefined after the last. Rejects with why the stream was reset. */
  read(): Promise<Uint8Array | undefined>;
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void>;
  /** Ends both ways at once. What the peer has not read is dropped. */
  reset(code: number, reason: string): void;
  /** Aborted when both ways have ended, with why where it was no normal end. */
  readonly closed: AbortSignal;
}

/** Figures of a session; bytes are of this end. */
export interface TunnelStats {
  readonly streams: number;
  /** Of them those that this end has opened. */
  readonly ownStreams: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Sequenced bytes that had to be sent once more. */
  readonly resentBytes: number;
  /** Sent and not acknowledged. */
  readonly unacknowledgedBytes: number;
  /** How many of them bulk may make up. */
  readonly windowBytes: number;
  readonly minRttMs: number;
  readonly rttMs: number;
  readonly bytesPerSecond: number;
  /** Whether bulk goes by rate: losses or another flow's queue hide its own delay. */
  readonly byRate: boolean;
  /** Connections so far. */
  readonly connections: number;
}

/** A session: streams that survive the connection that they run in. */
export interface TunnelSession {
  open(options: OpenOptions): TunnelStream;
  /** Who takes streams that the peer opens; they are refused while nobody does. */
  onStream(accept: (stream: TunnelStream) => void): void;
  /** Whether there is a connection at this moment. */
  readonly connected: boolean;
  close(code?: number, reason?: string): void;
  /** Aborted when the session has ended for good, with why. */
  readonly closed: AbortSignal;
  stats(): TunnelStats;
}
