/** What carries a session's bytes: a TLS connection, a WebSocket; in order, and lost only by its end. */
export interface Transport {
  /**
   * Takes bytes over. They stay as they are until the peer has acknowledged them or the transport
   * was closed, so nothing has to be copied.
   */
  write(bytes: Uint8Array): void;
  /** Bytes taken over that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Ends it; what was written before may still go. */
  close(): void;
}

/** What a transport's owner tells the session about it. */
export interface TransportEvents {
  /** The session may keep views of them. */
  receive(bytes: Uint8Array): void;
  /** `bufferedBytes` has become less. */
  drained(): void;
  /** It has ended, or failed; the session waits for another one. */
  closed(cause?: unknown): void;
}
