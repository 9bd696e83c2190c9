import { z } from 'zod';
import type { PlainObject } from '../object-meta.ts';
import type { PlainDefinition } from '../resource-definition.ts';

const words = z.array(z.string().max(1024)).max(256);

const rule = z.strictObject({
  verbs: words.min(1).describe('What may be done; * is everything.'),
  apiGroups: words.optional().describe('In which groups; "" is the core group, * all.'),
  resources: words.optional().describe('With which kinds, such as installs or installs/status.'),
  resourceNames: words.optional().describe('With which objects; absent: all.'),
  nonResourceURLs: words.optional().describe('With which paths that are not resources.'),
});

const body = z.strictObject({
  rules: z.array(rule).max(1024).nullable().optional().describe('What the role allows.'),
});

export type PolicyRule = z.infer<typeof rule>;
export type ClusterRoleBody = z.infer<typeof body>;
export type ClusterRole = PlainObject<ClusterRoleBody>;

/** rbac.authorization.k8s.io/v1 ClusterRole. */
export const clusterRoleResource: PlainDefinition<ClusterRoleBody> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  shortNames: [],
  categories: [],
  scope: 'Cluster',
  description: 'What those may do to whom it is bound.',
  body,
  selectableFields: [],
  columns: [
    {
      name: 'Created At',
      type: 'date',
      jsonPath: '.metadata.creationTimestamp',
      description: 'Since when.',
    },
  ],
};
