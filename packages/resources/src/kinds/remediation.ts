import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { errorSchema, taplineGroup, taplineVersion } from './common.ts';
import {
  opsEvidenceSchema,
  opsTargetSchema,
  opsTextSchema,
  opsTimeSchema,
  opsVerdictSchema,
} from './ops-fields.ts';
import { opsActions } from './playbook.ts';

const spec = z.strictObject({
  playbook: z.string().min(1).max(253),
  target: opsTargetSchema,
  incident: z.string().max(253).optional().describe('What it is about.'),
  signal: z.string().max(600).optional().describe('Which fault, by its key.'),
  reason: opsTextSchema.describe('Why it was asked for.'),
  requestedBy: z
    .string()
    .max(253)
    .optional()
    .describe('Who asked, where it was not OpsBot; then a person has to approve.'),
  escalatedFrom: z.string().max(253).optional().describe('The remediation that did not help.'),
});

/** Text, so that not one value of it is another after it was stored. */
const jsonText = z.string().max(65_536);

const planStep = z.strictObject({
  action: z.enum(opsActions),
  text: opsTextSchema.describe('What it does, in words.'),
  operation: jsonText.describe('The same as JSON; nothing else is carried out.'),
  undo: jsonText.optional().describe('What takes it back, where something does.'),
  check: jsonText.describe('What has to hold after it.'),
  timeoutSeconds: z.number().min(0).max(86_400),
});

const doneStep = z.strictObject({
  state: z.enum(['Pending', 'Running', 'Checking', 'Done', 'Failed', 'Undone', 'NotUndone']),
  startedAt: opsTimeSchema.optional(),
  finishedAt: opsTimeSchema.optional(),
  says: opsTextSchema.optional(),
});

const approval = z.strictObject({
  user: z.string().min(1).max(253),
  decision: z.enum(['Approved', 'Rejected']),
  digest: z.string().max(64).describe('Of what was shown to them.'),
  at: opsTimeSchema,
  reason: opsTextSchema.optional(),
});

const status = z.strictObject({
  phase: z
    .enum(['Waiting', 'AwaitingApproval', 'Running', 'Succeeded', 'Failed', 'Refused', 'Rejected'])
    .optional(),
  epoch: z.int().min(0).optional().describe('Of the leader who works on it.'),
  digest: z
    .string()
    .max(64)
    .optional()
    .describe('SHA-256 over playbook, target, plan and version of the policy.'),
  decisions: z.array(opsVerdictSchema).max(32).optional().describe('Why that was allowed, or not.'),
  evidence: z.array(opsEvidenceSchema).max(16).optional().describe('What was seen.'),
  plan: z.array(planStep).max(32).optional().describe('What is done, before any of it is.'),
  steps: z.array(doneStep).max(32).optional().describe('How far it is.'),
  approvals: z.array(approval).max(32).optional(),
  acceptedAt: opsTimeSchema.optional(),
  decisionSeconds: z.number().min(0).optional().describe('From the event to the decision.'),
  verifySince: opsTimeSchema.optional().describe('When its last step was done.'),
  finishedAt: opsTimeSchema.optional(),
  clearedAt: opsTimeSchema
    .optional()
    .describe('When the fault was over; what begins after that is another one.'),
  outcome: opsTextSchema.optional(),
  error: errorSchema.optional(),
  escalated: z.string().max(253).optional().describe('What came next: a remediation, or `person`.'),
  conditions: conditionsSchema,
});

export type RemediationSpec = z.infer<typeof spec>;
export type RemediationStatus = z.infer<typeof status>;
export type RemediationApproval = z.infer<typeof approval>;
export type RemediationPlanStep = z.infer<typeof planStep>;
export type Remediation = ApiObject<RemediationSpec, RemediationStatus>;

export const remediationResource: ResourceDefinition<RemediationSpec, RemediationStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Remediation',
  plural: 'remediations',
  singular: 'remediation',
  shortNames: ['rem'],
  categories: ['tapline'],
  scope: 'Cluster',
  description:
    'A run of a playbook: what was seen, decided, why that was allowed, done and checked.',
  spec,
  status,
  selectableFields: ['spec.playbook', 'spec.target.name'],
  columns: [
    { name: 'Playbook', type: 'string', jsonPath: '.spec.playbook', description: 'Which.' },
    { name: 'Kind', type: 'string', jsonPath: '.spec.target.kind', description: 'Of its target.' },
    { name: 'Target', type: 'string', jsonPath: '.spec.target.name', description: 'On what.' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where it stands.' },
    {
      name: 'Outcome',
      type: 'string',
      jsonPath: '.status.outcome',
      description: 'What came of it.',
    },
    {
      name: 'Digest',
      type: 'string',
      jsonPath: '.status.digest',
      description: 'What an approval is for.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
