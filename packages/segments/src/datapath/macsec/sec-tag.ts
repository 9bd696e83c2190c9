/** EtherType of MACsec frames (IEEE Std 802.1AE-2018, table 9-1). */
export const macsecEtherType = 0x88e5;
/** MAC addresses, EtherType, TCI and AN, SL, PN. */
export const shortHeaderBytes = 20;
/** The same with an SCI. */
export const longHeaderBytes = 28;
export const icvBytes = 16;

const bit = {
  version: 0x80,
  endStation: 0x40,
  sci: 0x20,
  broadcast: 0x10,
  encrypted: 8,
  changed: 4,
};
// 9.7: user data of 48 octets and more has a short length of 0.
const shortBelow = 48;
// What Ethernet pads to; only there may octets follow the ICV.
const minimumFrameBytes = 60;

/** A SecTAG as read; filled again for each frame, so that none allocates. */
export interface SecTag {
  associationNumber: number;
  encrypted: boolean;
  /** The lower 32 bits of the packet number. */
  packetNumber: number;
  /** SCI as two halves: the frame's, or what its source address and end-station bit stand for. */
  sciHigh: number;
  sciLow: number;
  headerBytes: number;
  /** Where the secure data ends and the ICV begins. */
  dataEnd: number;
}

export function emptySecTag(): SecTag {
  return {
    associationNumber: 0,
    encrypted: false,
    packetNumber: 0,
    sciHigh: 0,
    sciLow: 0,
    headerBytes: 0,
    dataEnd: 0,
  };
}

/**
 * Reads the tag of the frame at `start` up to `end`; false where IEEE Std 802.1AE-2018 §9.12 does not
 * call it valid, or where its secure channel is not told.
 */
export function readSecTag(bytes: Uint8Array, start: number, end: number, tag: SecTag): boolean {
  if (end - start < shortHeaderBytes + icvBytes) return false;
  if (read16(bytes, start + 12) !== macsecEtherType) return false;
  const tci = at(bytes, start + 14);
  const shortLength = at(bytes, start + 15);
  if ((tci & bit.version) !== 0 || shortLength >= shortBelow) return false;
  const explicit = (tci & bit.sci) !== 0;
  if (explicit && (tci & (bit.endStation | bit.broadcast)) !== 0) return false;
  // Single copy broadcast is of passive optical networks; without it the channel must be told.
  if ((tci & bit.broadcast) !== 0 || (!explicit && (tci & bit.endStation) === 0)) return false;
  // §9.5: E and C go together in every Cipher Suite that there is; E alone is of key agreement.
  const encrypted = (tci & bit.encrypted) !== 0;
  if (encrypted !== ((tci & bit.changed) !== 0)) return false;
  tag.headerBytes = explicit ? longHeaderBytes : shortHeaderBytes;
  const available = end - start - tag.headerBytes - icvBytes;
  if (shortLength === 0 ? available < shortBelow : available < shortLength) return false;
  if (shortLength !== 0 && available > shortLength && end - start > minimumFrameBytes) return false;
  tag.dataEnd = start + tag.headerBytes + (shortLength === 0 ? available : shortLength);
  tag.associationNumber = tci & 3;
  tag.encrypted = encrypted;
  tag.packetNumber = read32(bytes, start + 16);
  if (explicit) {
    tag.sciHigh = read32(bytes, start + 20);
    tag.sciLow = read32(bytes, start + 24);
  } else {
    // §9.9: the source address and port 00-01.
    tag.sciHigh = read32(bytes, start + 6);
    tag.sciLow = ((read16(bytes, start + 10) << 16) | 1) >>> 0;
  }
  return true;
}

export interface SecTagFields {
  readonly associationNumber: number;
  readonly encrypted: boolean;
  readonly packetNumber: number;
  /** Left out where the source address tells it (end station). */
  readonly sci?: Uint8Array;
  readonly dataBytes: number;
}

/** Writes EtherType and tag behind the MAC addresses; answers the length of the whole header. */
export function writeSecTag(into: Uint8Array, start: number, fields: SecTagFields): number {
  const { sci, dataBytes } = fields;
  into[start + 12] = macsecEtherType >>> 8;
  into[start + 13] = macsecEtherType & 0xff;
  into[start + 14] =
    (sci === undefined ? bit.endStation : bit.sci) |
    (fields.encrypted ? bit.encrypted | bit.changed : 0) |
    fields.associationNumber;
  into[start + 15] = dataBytes < shortBelow ? dataBytes : 0;
  write32(into, start + 16, fields.packetNumber);
  if (sci === undefined) return shortHeaderBytes;
  into.set(sci, start + 20);
  return longHeaderBytes;
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function read16(bytes: Uint8Array, index: number): number {
  return (at(bytes, index) << 8) | at(bytes, index + 1);
}

function read32(bytes: Uint8Array, index: number): number {
  return ((read16(bytes, index) << 16) | read16(bytes, index + 2)) >>> 0;
}

function write32(into: Uint8Array, index: number, value: number): void {
  into[index] = value >>> 24;
  into[index + 1] = value >>> 16;
  into[index + 2] = value >>> 8;
  into[index + 3] = value;
}
