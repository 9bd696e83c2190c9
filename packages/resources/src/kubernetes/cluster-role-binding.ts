import { z } from 'zod';
import type { PlainObject } from '../object-meta.ts';
import type { PlainDefinition } from '../resource-definition.ts';

const rbacGroup = 'rbac.authorization.k8s.io';

const subject = z.strictObject({
  kind: z.enum(['User', 'Group', 'ServiceAccount']).describe('What the name is of.'),
  apiGroup: z.string().max(253).optional(),
  name: z.string().min(1).max(1024).describe('Who.'),
  namespace: z.string().max(253).optional().describe('Of a service account.'),
});

const body = z.strictObject({
  subjects: z.array(subject).max(1024).optional().describe('Who gets the role.'),
  roleRef: z
    .strictObject({
      apiGroup: z.literal(rbacGroup),
      kind: z.literal('ClusterRole'),
      name: z.string().min(1).max(253),
    })
    .describe('Which role; cannot change.'),
});

export type ClusterRoleBindingBody = z.infer<typeof body>;
export type ClusterRoleBinding = PlainObject<ClusterRoleBindingBody>;

/** rbac.authorization.k8s.io/v1 ClusterRoleBinding. */
export const clusterRoleBindingResource: PlainDefinition<ClusterRoleBindingBody> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  shortNames: [],
  categories: [],
  scope: 'Cluster',
  description: 'Who has a role.',
  body,
  selectableFields: [],
  columns: [
    { name: 'Role', type: 'string', jsonPath: '.roleRef.name', description: 'The role.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
