import type { IncomingMessage } from 'node:http';
import type { Authorization, RegistryAccess } from '@tapline/registry';
import { type Identity, mastersGroup } from '@tapline/apiserver';
import { deviceOfUser } from '@tapline/gateway';
import type { Informers } from './informers.ts';

/**
 * Who may use the embedded registry: administrators everything, a device to pull the images of its
 * own Installs, other users to pull.
 */
export function createRegistryAccess(init: {
  readonly authenticate: (request: IncomingMessage) => Promise<Identity>;
  readonly informers: Pick<Informers, 'installs'>;
}): (request: IncomingMessage, access: RegistryAccess) => Promise<Authorization> {
  return async (request, { action, repository }) => {
    const identity = await init.authenticate(request);
    if (identity.via === 'anonymous') return 'unauthenticated';
    if (identity.groups.includes(mastersGroup)) return 'allowed';
    if (action !== 'pull') return 'denied';
    const device = deviceOfUser(identity.user);
    if (device === undefined || repository === undefined) return 'allowed';
    const own = init.informers.installs.byIndex('device', device);
    return own.some(({ spec }) => spec.image.repository === repository) ? 'allowed' : 'denied';
  };
}
