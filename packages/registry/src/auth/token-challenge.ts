import type { RegistryAccess } from '../protocol/authorize.ts';
import { formatRegistryScope } from './registry-scope.ts';

/** `WWW-Authenticate` that sends a client to the token server for what it was refused. */
export function tokenChallenge(challenge: {
  readonly realm: string;
  readonly service: string;
  readonly access: RegistryAccess | undefined;
}): string {
  const { realm, service, access } = challenge;
  const name = access?.repository;
  const parameters = [
    `realm="${realm}"`,
    `service="${service}"`,
    ...(name === undefined || access === undefined
      ? []
      : [
          `scope="${formatRegistryScope({ type: 'repository', name, actions: actionsFor(access) })}"`,
        ]),
  ];
  return `Bearer ${parameters.join(',')}`;
}

/** Who pushes also asks what is there already. */
function actionsFor({ action }: RegistryAccess): readonly string[] {
  return action === 'push' ? ['pull', 'push'] : [action];
}
