import type { IncomingMessage } from 'node:http';
import { isTaplineError } from '@tapline/base';
import type { Authorization, RegistryAccess } from '@tapline/registry';
import { type Identity, mastersGroup } from '@tapline/apiserver';
import { deviceOfUser } from '@tapline/gateway';
import type { Install } from '@tapline/resources';

/**
 * Who may use the embedded registry: administrators everything, a device to pull the images of its
 * own Installs, other users to pull.
 */
export function createRegistryAccess(init: {
  readonly authenticate: (request: IncomingMessage) => Identity;
  readonly installsOf: (device: string) => readonly Install[];
}): (request: IncomingMessage, access: RegistryAccess) => Authorization {
  return (request, { action, repository }) => {
    const identity = identify(init.authenticate, request);
    if (identity === undefined) return 'unauthenticated';
    if (identity.via === 'anonymous') return 'unauthenticated';
    if (identity.groups.includes(mastersGroup)) return 'allowed';
    if (action !== 'pull') return 'denied';
    const device = deviceOfUser(identity.user);
    if (device === undefined || repository === undefined) return 'allowed';
    return init.installsOf(device).some(({ spec }) => spec.image.repository === repository)
      ? 'allowed'
      : 'denied';
  };
}

/** A token that is not valid is answered like none: with a challenge. */
function identify(
  authenticate: (request: IncomingMessage) => Identity,
  request: IncomingMessage,
): Identity | undefined {
  try {
    return authenticate(request);
  } catch (error) {
    if (isTaplineError(error, 'unauthorized')) return undefined;
    throw error;
  }
}
