/** What a session grants and bears; what is left out is as in `defaultLimits`. */
export interface TunnelLimits {
  /** Streams that the peer may have open at once. */
  readonly maxStreams: number;
  /** Bytes of one stream that may wait for its reader, at first and at most. */
  readonly streamCredit: number;
  readonly maxStreamCredit: number;
  /** Bytes of all streams that may wait for their readers. */
  readonly sessionCredit: number;
  /** Bytes that are kept until the peer has acknowledged them: what may be under way. */
  readonly replayBytes: number;
  /** Control and interactive bytes a second that go before bulk; what is beyond goes as bulk does. */
  readonly controlBytesPerSecond: number;
  readonly interactiveBytesPerSecond: number;
  /** Silence after which the peer is asked; 2.5 of it end the connection. */
  readonly keepaliveMs: number;
  /** How long a session without a connection is kept. */
  readonly resumeMs: number;
  /** How long a connection may take to become a session. */
  readonly handshakeMs: number;
  /** What a transport may hold that the network has not taken. */
  readonly transportBytes: number;
}

const mebibyte = 1_048_576;

export const defaultLimits: TunnelLimits = {
  maxStreams: 256,
  streamCredit: 65_536,
  maxStreamCredit: 8 * mebibyte,
  sessionCredit: 32 * mebibyte,
  replayBytes: 8 * mebibyte,
  controlBytesPerSecond: 8 * mebibyte,
  interactiveBytesPerSecond: 32 * mebibyte,
  keepaliveMs: 15_000,
  resumeMs: 60_000,
  handshakeMs: 10_000,
  transportBytes: 65_536,
};
