import { concatBytes } from '@tapline/base';
import { closeError, CloseCode } from './close-code.ts';
import { readUint16, readUint32, readUint64 } from './read-number.ts';
import { writeUint32, writeUint64 } from './write-header.ts';

/** What the frames of the handshake carry; which of it depends on the frame. */
export interface Parameters {
  /** Names the session to come back to. Used once. */
  readonly token?: Uint8Array;
  /** Sequenced bytes that arrived, in all. */
  readonly position?: number;
  /** Bytes that the peer may send on a stream that it opens, before any Credit. */
  readonly streamCredit?: number;
  /** Bytes that the peer may send on all streams together, before any Credit. */
  readonly sessionCredit?: number;
  /** Streams of the peer that may be open at once. */
  readonly maxStreams?: number;
  /** Silence after which an end asks whether the other is there. */
  readonly keepaliveMs?: number;
  /** How long a session without a connection is kept. */
  readonly resumeMs?: number;
}

/** `TPLN`: what begins the body of a Hello and a Resume. */
const magic = 0x54504c4e;
const headBytes = 6;
export const tokenBytes = 32;

const ids = {
  token: 1,
  position: 2,
  streamCredit: 3,
  sessionCredit: 4,
  maxStreams: 5,
  keepaliveMs: 6,
  resumeMs: 7,
} as const;

const numbers = ['streamCredit', 'sessionCredit', 'maxStreams', 'keepaliveMs', 'resumeMs'] as const;

export interface VersionRange {
  readonly least: number;
  readonly most: number;
}

/** The body of a Hello or Resume: magic, versions, parameters. */
export function encodeGreeting(versions: VersionRange, parameters: Parameters): Uint8Array {
  const head = new Uint8Array(headBytes);
  writeUint32(head, 0, magic);
  head[4] = versions.least;
  head[5] = versions.most;
  return joined(head, parameters);
}

/** Throws `tunnel_frame_invalid`. */
export function decodeGreeting(body: Uint8Array): {
  readonly versions: VersionRange;
  readonly parameters: Parameters;
} {
  if (body.length < headBytes || readUint32(body, 0) !== magic) {
    throw closeError(CloseCode.Protocol, 'the first frame is no greeting of this protocol');
  }
  const versions = { least: body[4] ?? 0, most: body[5] ?? 0 };
  return { versions, parameters: decodeParameters(body.subarray(headBytes)) };
}

/** The body of a Welcome or Resumed: the version chosen, parameters. */
export function encodeAnswer(version: number, parameters: Parameters): Uint8Array {
  return joined(Uint8Array.of(version), parameters);
}

/** Throws `tunnel_frame_invalid`. */
export function decodeAnswer(body: Uint8Array): {
  readonly version: number;
  readonly parameters: Parameters;
} {
  const [version] = body;
  if (version === undefined) throw closeError(CloseCode.Protocol, 'an answer without a version');
  return { version, parameters: decodeParameters(body.subarray(1)) };
}

/** Each is id u16, length u16, value; what is not known is passed over. */
function decodeParameters(bytes: Uint8Array): Parameters {
  const found: { -readonly [K in keyof Parameters]: Parameters[K] } = {};
  let offset = 0;
  while (offset < bytes.length) {
    const id = readUint16(bytes, offset);
    const length = readUint16(bytes, offset + 2);
    const end = offset + 4 + length;
    if (offset + 4 > bytes.length || end > bytes.length) {
      throw closeError(CloseCode.Protocol, `parameter ${id} exceeds its frame`);
    }
    const value = bytes.subarray(offset + 4, end);
    if (id === ids.token) found.token = sized(value, tokenBytes, id).slice();
    else if (id === ids.position) found.position = readUint64(sized(value, 8, id), 0);
    for (const name of numbers) {
      if (ids[name] === id) found[name] = readUint32(sized(value, 4, id), 0);
    }
    offset = end;
  }
  return found;
}

function sized(value: Uint8Array, length: number, id: number): Uint8Array {
  if (value.length === length) return value;
  throw closeError(
    CloseCode.Protocol,
    `parameter ${id} has ${value.length} bytes, and needs ${length}`,
  );
}

function joined(head: Uint8Array, parameters: Parameters): Uint8Array {
  const parts: Uint8Array[] = [head];
  if (parameters.token !== undefined) parts.push(entry(ids.token, parameters.token));
  if (parameters.position !== undefined) {
    const value = new Uint8Array(8);
    writeUint64(value, 0, parameters.position);
    parts.push(entry(ids.position, value));
  }
  for (const name of numbers) {
    const number = parameters[name];
    if (number === undefined) continue;
    const value = new Uint8Array(4);
    writeUint32(value, 0, number);
    parts.push(entry(ids[name], value));
  }
  return concatBytes(parts);
}

function entry(id: number, value: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(0, id, 0, value.length), value]);
}
