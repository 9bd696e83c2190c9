import type { ApiServer, Identity } from '@tapline/apiserver';
import { TaplineError } from '@tapline/base';
import type { ResourceClient } from './resource-client.ts';

/**
 * A client of an API server in the same process: the same checks and audit as over HTTP, without
 * bytes. Objects are frozen and shared.
 */
export function createInProcessClient(
  api: Pick<ApiServer, 'operations'>,
  identity: Identity,
): ResourceClient {
  throw new TaplineError('unavailable', `no client for ${identity.user} yet: ${typeof api}`);
}
