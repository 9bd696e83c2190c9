import { type ContextKey, createContextKey } from '@connectrpc/connect';
import { TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { KnownSession } from './call-epoch.ts';

/** Whose tunnel a call came in. */
export interface CallingDevice extends KnownSession {
  readonly name: string;
  /** May do what the device may. Throws `unauthorized` where its certificate's time is over. */
  readonly client: () => Pick<ResourceClient, 'get' | 'list' | 'patch' | 'watch'>;
}

/** Where calls find it, as nothing in them says whose they are. */
export const callingDevice: ContextKey<CallingDevice> = createContextKey<CallingDevice>({
  name: '',
  leastEpoch: () => Number.POSITIVE_INFINITY,
  isNewest: () => false,
  client() {
    throw new TaplineError('unauthorized', 'the call is of no device');
  },
});
