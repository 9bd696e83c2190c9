import type { Interceptor } from '@connectrpc/connect';
import { TaplineError } from '@tapline/base';

/** Metadata with the epoch that the gateway has for the device's session. */
const epochKey = 'tapline-epoch';

/** Has calls say for which epoch they were made. */
export function sayEpoch(epoch: () => number): Interceptor {
  return (next) => (request) => {
    request.header.set(epochKey, String(epoch()));
    return next(request);
  };
}

/**
 * Refuses calls of an epoch that is over: whoever made them is not the newest session's gateway any more,
 * or spoke before the device came back. Throws `epoch_stale`.
 */
export function refuseStale(newest: () => number): Interceptor {
  return (next) => (request) => {
    const epoch = Number(request.header.get(epochKey) ?? Number.NaN);
    if (epoch >= newest()) return next(request);
    throw new TaplineError(
      'epoch_stale',
      `a call of epoch ${epoch} came after epoch ${newest()} had begun`,
    );
  };
}
