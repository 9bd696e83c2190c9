import { z } from 'zod';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { taplineGroup, taplineVersion } from './common.ts';

const labels = z.record(z.string().max(317), z.string().max(63));

const spec = z.strictObject({
  purpose: z.enum(['Join', 'Access']).describe('Join lets devices in, Access lets a user in.'),
  hash: z
    .string()
    .regex(/^[a-f0-9]{64}$/)
    .describe('SHA-256 of the secret; the secret itself never leaves who made it.'),
  expiresAt: z.iso.datetime({ offset: true }).describe('Refused from then on.'),
  uses: z.int().min(1).max(1_000_000).default(1).describe('Join: how many devices it lets in.'),
  role: z.enum(['device', 'node']).default('device').describe('Join: what they may be.'),
  labels: labels.optional().describe('Join: labels each of them gets.'),
  extraLabels: z
    .enum(['Allow', 'Refuse'])
    .optional()
    .describe('Join: whether they may add labels; by default only where the token sets none.'),
  user: z.string().max(253).optional().describe('Access: who it speaks for.'),
  groups: z.array(z.string().max(253)).max(32).optional().describe('Access: and their groups.'),
});

const status = z.strictObject({
  used: z.int().min(0).optional().describe('How many devices it has let in.'),
  devices: z.array(z.string().max(253)).max(1000).optional().describe('The newest of them.'),
});

export type TokenSpec = z.infer<typeof spec>;
export type TokenStatus = z.infer<typeof status>;
export type Token = ApiObject<TokenSpec, TokenStatus>;

export const tokenResource: ResourceDefinition<TokenSpec, TokenStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Token',
  plural: 'tokens',
  singular: 'token',
  shortNames: [],
  categories: ['tapline'],
  scope: 'Cluster',
  description: 'Lets devices join or a user in; holds only the hash of its secret.',
  spec,
  status,
  selectableFields: ['spec.purpose'],
  columns: [
    { name: 'Purpose', type: 'string', jsonPath: '.spec.purpose', description: 'Join or Access.' },
    {
      name: 'Uses',
      type: 'integer',
      jsonPath: '.spec.uses',
      description: 'How many devices it lets in.',
    },
    {
      name: 'Used',
      type: 'integer',
      jsonPath: '.status.used',
      description: 'How many it has let in.',
    },
    {
      name: 'Expires',
      type: 'date',
      jsonPath: '.spec.expiresAt',
      description: 'Refused from then on.',
    },
    {
      name: 'User',
      type: 'string',
      jsonPath: '.spec.user',
      description: 'Who it speaks for.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
