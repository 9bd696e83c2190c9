import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { taplineGroup, taplineVersion } from './common.ts';
import { opsTargetSchema, opsTextSchema, opsTimeSchema } from './ops-fields.ts';

const name = z.string().min(1).max(253);

const spec = z.strictObject({
  paused: z.boolean().optional().describe('Whether nothing is begun; what runs is finished.'),
  reason: opsTextSchema.optional().describe('Why, for who wonders.'),
  pausedUntil: opsTimeSchema.optional().describe('When it ends by itself.'),
  concurrent: z.int().min(1).max(1000).default(3).describe('Most remediations at a time.'),
  perHour: z.int().min(1).max(1000).default(30).describe('Most that begin in an hour.'),
  perDay: z.int().min(1).max(1000).default(200).describe('And in a day.'),
  approvalSeconds: z
    .int()
    .min(10)
    .max(604_800)
    .default(3600)
    .describe('How long is waited for an approval, and how long one is good for.'),
  resets: z
    .int()
    .min(0)
    .default(0)
    .describe('Raised by a person to let playbooks act again that had failed too often.'),
});

const begun = z.strictObject({
  remediation: name,
  playbook: name,
  target: opsTargetSchema,
  at: opsTimeSchema,
});

const status = z.strictObject({
  epoch: z.int().min(0).optional().describe('Of the leader; nobody with a lower one may act.'),
  leader: z.string().max(253).optional(),
  running: z.array(begun).max(1000).optional().describe('What runs, and so has its target.'),
  ended: z
    .array(
      begun.extend({
        endedAt: opsTimeSchema,
        outcome: z.enum(['Succeeded', 'Failed']),
        resets: z.int().min(0).describe('spec.resets when it ended.'),
      }),
    )
    .max(1000)
    .optional()
    .describe('What ended in the last day.'),
  conditions: conditionsSchema,
});

export type OpsPolicySpec = z.infer<typeof spec>;
export type OpsPolicyStatus = z.infer<typeof status>;
export type OpsPolicy = ApiObject<OpsPolicySpec, OpsPolicyStatus>;

export const opsPolicyResource: ResourceDefinition<OpsPolicySpec, OpsPolicyStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'OpsPolicy',
  plural: 'opspolicies',
  singular: 'opspolicy',
  shortNames: ['ops'],
  categories: ['tapline'],
  scope: 'Cluster',
  description: 'Limits of all that OpsBot does, and its switch; the one named default counts.',
  spec,
  status,
  selectableFields: [],
  columns: [
    { name: 'Paused', type: 'boolean', jsonPath: '.spec.paused', description: 'Its switch.' },
    { name: 'Reason', type: 'string', jsonPath: '.spec.reason', description: 'Why.' },
    { name: 'Leader', type: 'string', jsonPath: '.status.leader', description: 'Who acts.' },
    { name: 'Epoch', type: 'integer', jsonPath: '.status.epoch', description: 'Of that one.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
