import type { MemoryResponse } from '../store/memory-tier.ts';
import type { StoredHead, StoredResponse } from '../store/stored-response.ts';
import type { EdgeState } from './edge-state.ts';

/** What is of use for less than this is not worth a write: a live playlist is another one by then. */
const leastOnDiskMs = 10_000;

/** Keeps a response in memory and on disk, as far as each takes it. */
export async function keep(state: EdgeState, stored: StoredResponse): Promise<void> {
  const { head, body } = stored;
  const pinned = state.pins.covers(head.key);
  const inMemory =
    state.memory.holds(body.length) && putInMemory(state, stored, pinned) !== undefined;
  if (!inMemory) state.memory.delete(head.key);
  if (inMemory && !pinned && isFleeting(head)) return;
  const onDisk = state.disk?.put(stored, { pinned });
  // Only where the disk alone holds it there is something to wait for.
  if (!inMemory) await onDisk;
}

/** Offers to the disk what it did not take when it came: it was asked for again. */
export function offer(state: EdgeState, stored: StoredResponse): void {
  if (!isFleeting(stored.head)) void state.disk?.put(stored);
}

/** Without a disk memory is where pins hold, as far as they fit. */
function putInMemory(
  state: EdgeState,
  { head, body }: StoredResponse,
  pinned: boolean,
): MemoryResponse | undefined {
  const held =
    pinned && state.disk === undefined ? state.memory.put(head, body, { pinned: true }) : undefined;
  return held ?? state.memory.put(head, body);
}

function isFleeting({ lifetimeMs, staleWhileRevalidateMs }: StoredHead): boolean {
  return lifetimeMs + staleWhileRevalidateMs < leastOnDiskMs;
}
