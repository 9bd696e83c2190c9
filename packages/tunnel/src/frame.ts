/**
 * A frame: type u8, flags u8, length of the body u16, stream u32, then the body; all big-endian.
 * `docs/protocols/tunnel.md` is the specification.
 */
export const headerBytes = 8;

/** Bytes of a frame's body. More would hold a control frame up behind it. */
export const maxBodyBytes = 16_384;

/** Frames with this bit are numbered, kept until acknowledged, and sent again after a cut. */
export const sequencedBit = 0x40;

/** A frame of an unknown type with this bit is passed over; without it, it ends the session. */
export const ignorableBit = 0x80;

export const FrameType = {
  /** The first frame of a client that has no session. */
  Hello: 0x01,
  Welcome: 0x02,
  /** The first frame of a client that comes back to its session. */
  Resume: 0x03,
  Resumed: 0x04,
  /** Ends the session, or refuses it. */
  Close: 0x05,
  /** Sequenced bytes that arrived, in all. */
  Ack: 0x06,
  /** Eight bytes to be sent back. */
  Ping: 0x07,
  /** The eight bytes, and what an Ack says. */
  Pong: 0x08,
  Open: 0x40,
  Data: 0x41,
  /** Bytes that may be sent more, on a stream, or on the session as stream 0. */
  Credit: 0x42,
  /** Ends a stream at once, both ways. */
  Reset: 0x43,
} as const;

/** Of a Data frame: nothing follows on this stream. */
export const finFlag = 0x01;

/** Of a sequenced frame: acknowledge it when it has arrived. */
export const ackFlag = 0x02;

/** A stream's number is below this. */
export const maxStreamId = 0x8000_0000;
