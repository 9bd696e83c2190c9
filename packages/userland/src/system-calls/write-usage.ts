import { viewOf } from '../memory/guest-memory.ts';

/** struct rusage: the time that was used, nothing else. */
export function writeUsage(room: Uint8Array, usedMs: number): void {
  room.fill(0);
  const view = viewOf(room);
  const seconds = Math.floor(usedMs / 1000);
  view.setBigInt64(0, BigInt(seconds), true);
  view.setBigInt64(8, BigInt(Math.floor((usedMs - seconds * 1000) * 1000)), true);
}
