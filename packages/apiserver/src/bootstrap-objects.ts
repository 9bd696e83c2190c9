import { isTaplineError } from '@tapline/base';
import {
  clusterRoleBindingResource,
  clusterRoleResource,
  type KindDefinition,
  namespaceResource,
} from '@tapline/resources';
import { bootstrapRoles } from './access/bootstrap-policy.ts';
import { internalIdentity } from './identity.ts';
import type { Service } from './service.ts';

const rbac = 'rbac.authorization.k8s.io';

/** Creates what has to be there from the start; what an administrator changed stays as it is. */
export async function writeBootstrapObjects(service: Service): Promise<void> {
  const caller = { identity: internalIdentity('apiserver'), reason: 'bootstrap' };
  const create = async (definition: KindDefinition, object: unknown): Promise<void> => {
    const place = { caller, kind: service.kindOf(definition), namespace: undefined };
    const options = { manager: 'apiserver', dryRun: false, fieldValidation: 'Strict' } as const;
    try {
      await service.create(place, object, options);
    } catch (error) {
      if (!isTaplineError(error, 'already_exists')) throw error;
    }
  };
  const writes = [
    create(namespaceResource, {
      metadata: { name: 'default' },
      spec: {},
      status: { phase: 'Active' },
    }),
    ...bootstrapRoles.flatMap(({ name, group, rules }) => [
      create(clusterRoleResource, { metadata: { name }, rules }),
      create(clusterRoleBindingResource, {
        metadata: { name },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
        subjects: [{ kind: 'Group', apiGroup: rbac, name: group }],
      }),
    ]),
  ];
  await Promise.all(writes);
}
