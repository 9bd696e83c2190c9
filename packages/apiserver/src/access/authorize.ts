import { mastersGroup } from '../identity.ts';
import type { Attributes, Authorizer, Decision } from './authorizer.ts';
import { deviceNameOf } from './device-authorizer.ts';
import type { RbacPolicy } from './rbac-policy.ts';
import type { Identity } from '../identity.ts';

/** Paths that anybody may read: whether the server is there, and what it is. */
const openPaths = new Set(['/healthz', '/livez', '/readyz', '/version']);
const discoveryPaths = /^\/(api|apis|openapi)(\/|$)/;

/** Decides about everything, refusing what nobody allowed. */
export interface AccessControl {
  decide(attributes: Attributes): Decision;
  /** Whether a path that is no resource may be read. */
  allowsPath(identity: Identity, verb: string, path: string): boolean;
}

/** Masters first, then what limits devices, then roles. */
export function createAccessControl(init: {
  readonly policy: RbacPolicy;
  readonly deviceAuthorizer: Authorizer;
}): AccessControl {
  const { policy, deviceAuthorizer } = init;
  return {
    decide(attributes) {
      if (attributes.identity.groups.includes(mastersGroup)) {
        return { allowed: true, reason: `in group ${mastersGroup}` };
      }
      return (
        deviceAuthorizer(attributes) ??
        selfReview(attributes) ??
        policy.decide(attributes) ?? { allowed: false, reason: 'no role allows it' }
      );
    },
    allowsPath(identity, verb, path) {
      if (openPaths.has(path) && verb === 'get') return true;
      if (identity.groups.includes(mastersGroup)) return true;
      if (identity.via === 'anonymous' || deviceNameOf(identity) !== undefined) return false;
      return (
        (verb === 'get' && discoveryPaths.test(path)) || policy.allowsPath(identity, verb, path)
      );
    },
  };
}

/** Whoever is known may ask what they may do. */
function selfReview({ identity, verb, group, resource }: Attributes): Decision | undefined {
  if (identity.via === 'anonymous' || verb !== 'create') return undefined;
  const asks =
    (group === 'authorization.k8s.io' && resource.startsWith('selfsubject')) ||
    (group === 'authentication.k8s.io' && resource === 'selfsubjectreviews');
  return asks ? { allowed: true, reason: 'about oneself' } : undefined;
}
