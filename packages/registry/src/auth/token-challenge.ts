import type { RegistryAccess } from '../protocol/authorize.ts';
import { formatRegistryScope, type RegistryScope } from './registry-scope.ts';

/** `WWW-Authenticate` that sends a client to the token server for what it was refused. */
export function tokenChallenge(challenge: {
  readonly realm: string;
  readonly service: string;
  readonly access: RegistryAccess | undefined;
}): string {
  const { realm, service, access } = challenge;
  const scope = access === undefined ? undefined : scopeFor(access);
  const parameters = [
    `realm="${realm}"`,
    `service="${service}"`,
    ...(scope === undefined ? [] : [`scope="${formatRegistryScope(scope)}"`]),
  ];
  return `Bearer ${parameters.join(',')}`;
}

function scopeFor(access: RegistryAccess): RegistryScope | undefined {
  if (access.action === 'list') return { type: 'registry', name: 'catalog', actions: ['*'] };
  const { repository: name } = access;
  return name === undefined ? undefined : { type: 'repository', name, actions: actionsFor(access) };
}

/** Who pushes also asks what is there already. */
function actionsFor({ action }: RegistryAccess): readonly string[] {
  return action === 'push' ? ['pull', 'push'] : [action];
}
