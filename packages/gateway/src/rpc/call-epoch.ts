import type { ContextValues, Interceptor } from '@connectrpc/connect';
import { TaplineError } from '@tapline/base';

/** Metadata with the epoch of the device's session that whoever calls knows of. */
const epochKey = 'tapline-epoch';

/** Has calls say for which epoch they were made. */
export function sayEpoch(epoch: () => number | Promise<number>): Interceptor {
  return (next) => async (request) => {
    request.header.set(epochKey, String(await epoch()));
    return await next(request);
  };
}

/** What whoever serves a call knows of the device's sessions. */
export interface KnownSession {
  /** Calls of one before it are over. */
  readonly leastEpoch: () => number;
  /** Whether the tunnel that the call came in is the newest session's. */
  readonly isNewest: () => boolean;
}

/**
 * Refuses calls of an epoch that is over: whoever made them is not the newest session's end any more.
 * Throws `epoch_stale`.
 */
export function refuseStale(session: (values: ContextValues) => KnownSession): Interceptor {
  return (next) => (request) => {
    const epoch = Number(request.header.get(epochKey) ?? Number.NaN);
    const { isNewest, leastEpoch } = session(request.contextValues);
    if (epoch >= leastEpoch() && isNewest()) return next(request);
    throw new TaplineError('epoch_stale', `a call of epoch ${epoch} came after a newer had begun`);
  };
}
