import { closeError, CloseCode } from '@tapline/tunnel';

/**
 * Streams of forwards. The same names are used between a user and the gateway, and between the gateway
 * and a device, which copies one to the other.
 */
export const forwardStreams = {
  /** Towards the device: a connection to a port of its loopback interface. Header: port u16. */
  connect: 'tcp',
  /**
   * Towards the device: listens at a port of its loopback interface while the stream is open. Header:
   * port u16. The device answers with that port once it listens.
   */
  listen: 'tcp-listen',
  /** Towards the user: a connection that was taken there. Header: id u32 of the stream that listens. */
  accepted: 'tcp-accepted',
} as const;

export function encodePort(port: number): Uint8Array {
  return Uint8Array.of(port >>> 8, port & 0xff);
}

/** Throws `tunnel_frame_invalid`. */
export function decodePort(bytes: Uint8Array): number {
  const [high, low] = bytes;
  const port = high === undefined || low === undefined ? 0 : high * 256 + low;
  if (bytes.length === 2 && port > 0) return port;
  throw closeError(CloseCode.Protocol, `${bytes.length} bytes are no port from 1 to 65535`);
}

export function encodeListener(id: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

/** Throws `tunnel_frame_invalid`. */
export function decodeListener(bytes: Uint8Array): number {
  if (bytes.length === 4) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0);
  }
  throw closeError(CloseCode.Protocol, `${bytes.length} bytes are no id of a stream`);
}
