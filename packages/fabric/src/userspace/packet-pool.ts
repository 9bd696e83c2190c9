import { getRawPointer } from 'node:ffi';

/** Where a frame begins in its slot: room for the headers that are put before it. */
export const frameAt = 64;
/** Where a VXLAN packet begins, so that its frame begins there. */
export const packetAt = 56;

/** Fixed places for packets in one piece of memory, with their addresses: no frame allocates. */
export interface PacketPool {
  readonly bytes: Uint8Array;
  readonly slots: number;
  readonly slotBytes: number;
  /** Longest frame. */
  readonly frameBytes: number;
  /** Each slot from its frame's place on. */
  readonly frames: readonly Uint8Array[];
  readonly framePointers: readonly bigint[];
  readonly packetPointers: readonly bigint[];
}

export function packetPool(slots: number, frameBytes: number): PacketPool {
  const slotBytes = Math.ceil((frameAt + frameBytes + 64) / 256) * 256;
  const bytes = new Uint8Array(slots * slotBytes);
  const base = getRawPointer(bytes);
  const starts = Array.from({ length: slots }, (_, slot) => slot * slotBytes);
  return {
    bytes,
    slots,
    slotBytes,
    frameBytes: slotBytes - frameAt,
    frames: starts.map((start) => bytes.subarray(start + frameAt, start + slotBytes)),
    framePointers: starts.map((start) => base + BigInt(start + frameAt)),
    packetPointers: starts.map((start) => base + BigInt(start + packetAt)),
  };
}
