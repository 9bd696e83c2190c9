import type { IncomingMessage } from 'node:http';
import { isTaplineError } from '@tapline/base';
import type { Authorization, RegistryAccess } from '@tapline/registry';
import { type ApiServer, type Identity, mastersGroup } from '@tapline/apiserver';
import { deviceOfUser } from '@tapline/gateway';
import { type Install, taplineGroup } from '@tapline/resources';

/**
 * Who may use the embedded registry: administrators everything; a device that may read its Device to
 * pull the images of its own Installs; users who may read packages to pull.
 */
export function createRegistryAccess(init: {
  readonly api: Pick<ApiServer, 'authenticate' | 'allows'>;
  readonly installsOf: (device: string) => readonly Install[];
}): (request: IncomingMessage, access: RegistryAccess) => Authorization {
  return (request, { action, repository }) => {
    const { api } = init;
    const identity = identify(api, request);
    if (identity === undefined) return 'unauthenticated';
    if (identity.via === 'anonymous') return 'unauthenticated';
    if (identity.groups.includes(mastersGroup)) return 'allowed';
    if (action !== 'pull') return 'denied';
    const device = deviceOfUser(identity.user);
    const read = { verb: 'get', group: taplineGroup };
    if (device === undefined) {
      return api.allows(identity, { ...read, resource: 'packages' }) ? 'allowed' : 'denied';
    }
    if (!api.allows(identity, { ...read, resource: 'devices', name: device })) return 'denied';
    if (repository === undefined) return 'allowed';
    return init.installsOf(device).some(({ spec }) => spec.image.repository === repository)
      ? 'allowed'
      : 'denied';
  };
}

/** A token that is not valid is answered like none: with a challenge. */
function identify(
  api: Pick<ApiServer, 'authenticate'>,
  request: IncomingMessage,
): Identity | undefined {
  try {
    return api.authenticate(request);
  } catch (error) {
    if (isTaplineError(error, 'unauthorized')) return undefined;
    throw error;
  }
}
