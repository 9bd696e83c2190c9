import { type Clock, errorMessage, type Log } from '@tapline/base';
import { parseTrustedKeys, type TrustedKeys } from '@tapline/signatures';
import type { AgentState } from './agent-state.ts';

/** The public keys of images that this device starts, as its control plane said them last. */
export interface TrustKeeper {
  /** Another object only when the keys have changed. */
  readonly current: TrustedKeys;
  /** Asks for the keys again; whether others came. One that fails is logged. */
  refresh(): Promise<boolean>;
}

const metaKey = 'image-keys';
const minRefreshMs = 1000;

/** Kept on disk, so that a device without its control plane still knows what it may start. */
export function createTrustKeeper(init: {
  readonly state: Pick<AgentState, 'meta' | 'putMeta'>;
  readonly fetchKeys: () => Promise<TrustedKeys>;
  readonly clock: Clock;
  readonly log: Log;
}): TrustKeeper {
  const { state, clock, log } = init;
  const stored = state.meta(metaKey);
  let current = parseTrustedKeys(Array.isArray(stored) ? stored.map(String) : []);
  let running: Promise<boolean> | undefined;
  let askedMs = Number.NEGATIVE_INFINITY;

  async function fetchNow(): Promise<boolean> {
    try {
      const keys = await init.fetchKeys();
      if (keys.ids.join() === current.ids.join()) return false;
      state.putMeta(metaKey, keys.pems);
      current = keys;
      log.info('keys of images have changed', { keys: keys.ids });
      return true;
    } catch (error) {
      log.info('keys of images cannot be asked for', { error: errorMessage(error) });
      return false;
    }
  }

  return {
    get current() {
      return current;
    },
    async refresh() {
      if (running !== undefined) return await running;
      // Every image of an unknown signer would ask.
      if (clock.monotonic() - askedMs < minRefreshMs) return false;
      askedMs = clock.monotonic();
      running = fetchNow().finally(() => {
        running = undefined;
      });
      return await running;
    },
  };
}
