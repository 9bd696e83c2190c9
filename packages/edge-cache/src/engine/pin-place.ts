import { TaplineError } from '@tapline/base';
import { canonicalTarget } from '../channel/request-target.ts';
import { objectKey } from '../store/object-key.ts';
import type { EdgeState } from './edge-state.ts';

/** Pins what is at a target, now and when it comes. Throws `bad_request` for what is no place. */
export async function pinPlace(
  state: EdgeState,
  { channel, target }: { readonly channel: string; readonly target: string },
  pinned: boolean,
): Promise<void> {
  if (state.channels().named(channel) === undefined || !/^\/[^\s#]{0,8191}$/.test(target)) {
    throw new TaplineError(
      'bad_request',
      `a pin names a channel and a path: ${JSON.stringify(channel)} has none at ${JSON.stringify(target.slice(0, 200))}`,
    );
  }
  const primary = objectKey(channel, canonicalTarget(target));
  const { disk, memory, pins } = state;
  if (!pinned) {
    for (const key of await pins.unpin(primary)) {
      disk?.pin(key, false);
      if (disk === undefined) repin(memory, key, false);
    }
    return;
  }
  await pins.pin(primary);
  if (disk === undefined) repin(memory, primary, true);
  // What came into memory while the disk was full is offered again with its pin.
  else if (!disk.pin(primary, true)) {
    const held = memory.peek(primary);
    if (held !== undefined) await disk.put(held, { pinned: true });
  }
}

function repin(memory: EdgeState['memory'], key: string, pinned: boolean): void {
  const held = memory.peek(key);
  if (held !== undefined) memory.put(held.head, held.body, { pinned });
}
