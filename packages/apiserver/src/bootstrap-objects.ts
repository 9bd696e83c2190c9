import { canonicalJson, isTaplineError } from '@tapline/base';
import {
  clusterRoleBindingResource,
  clusterRoleResource,
  type KindDefinition,
  namespaceResource,
} from '@tapline/resources';
import { type BootstrapRole, bootstrapRoles } from './access/bootstrap-policy.ts';
import { internalIdentity } from './identity.ts';
import type { Service } from './service.ts';
import type { AnyObject } from './any-object.ts';

const rbac = 'rbac.authorization.k8s.io';

/**
 * Kubernetes's own name for it: a role that has `"false"` here is its administrator's, and stays as it is.
 */
const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';
const options = { manager: 'apiserver', dryRun: false, fieldValidation: 'Strict' } as const;

/**
 * Creates what has to be there from the start, and gives the roles of that name the rules that they
 * have now: those of an older version may be wider than anybody should be. Who has a role is never
 * changed, and neither are other roles.
 */
export async function writeBootstrapObjects(service: Service): Promise<void> {
  const caller = { identity: internalIdentity('apiserver'), reason: 'bootstrap' };

  function placeOf(definition: KindDefinition): Parameters<Service['create']>[0] {
    return { caller, kind: service.kindOf(definition), namespace: undefined };
  }

  /** Whether it was not there. */
  async function create(definition: KindDefinition, object: unknown): Promise<boolean> {
    try {
      await service.create(placeOf(definition), object, options);
      return true;
    } catch (error) {
      if (isTaplineError(error, 'already_exists')) return false;
      throw error;
    }
  }

  async function ensureRole({ name, rules }: BootstrapRole): Promise<void> {
    const metadata = { name, annotations: { [autoUpdate]: 'true' } };
    if (await create(clusterRoleResource, { metadata, rules })) return;
    const place = placeOf(clusterRoleResource);
    const { object: role } = await service.get(place, name);
    const { annotations = {} } = role.metadata;
    if (annotations[autoUpdate] === 'false') return;
    if (
      canonicalJson((role as AnyObject & { readonly rules?: unknown }).rules) ===
      canonicalJson(rules)
    )
      return;
    const changed = {
      ...role,
      metadata: { ...role.metadata, annotations: { ...annotations, [autoUpdate]: 'true' } },
      rules,
    };
    await service.update(place, name, changed, options);
  }

  await Promise.all([
    create(namespaceResource, {
      metadata: { name: 'default' },
      spec: {},
      status: { phase: 'Active' },
    }),
    ...bootstrapRoles.flatMap((role) => [
      ensureRole(role),
      create(clusterRoleBindingResource, {
        metadata: { name: role.name },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role.name },
        subjects: [{ kind: 'Group', apiGroup: rbac, name: role.group }],
      }),
    ]),
  ]);
}
