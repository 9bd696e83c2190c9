import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { selectorTextSchema } from '../selector-text.ts';
import { commandSchema, taplineGroup, taplineVersion } from './common.ts';
import { prefixSchema, segmentNameSchema } from './network-fields.ts';
import { opsKinds, opsTextSchema } from './ops-fields.ts';

/** Everything that a step can be. */
export const opsActions = [
  'flush-cache',
  'prime-cache',
  'restart-workload',
  'move-workload',
  'drain-node',
  'uncordon-node',
  'create-segment',
  'reapply-segment',
  'reallocate-segment',
  'rollback-delivery',
  'pause-delivery',
  'rotate-keys',
  'run-check',
  'notify',
  'wait-for-approval',
] as const;

const seconds = z.number().min(0).max(604_800);

const trigger = z.strictObject({
  icinga: z
    .strictObject({
      check: z
        .string()
        .min(1)
        .max(128)
        .describe('A check of a host; `host` is the host itself, a * at its end is any ending.'),
      states: z
        .array(z.enum(['down', 'warning', 'critical', 'unknown', 'flapping']))
        .min(1)
        .max(5),
    })
    .optional()
    .describe('A state in Icinga.'),
  alert: z
    .strictObject({ name: z.string().min(1).max(128) })
    .optional()
    .describe('An alert of Prometheus, whose label of the target’s kind names the target.'),
  condition: z
    .strictObject({
      type: z.string().min(1).max(316),
      status: z.enum(['True', 'False', 'Unknown']),
      reasons: z.array(z.string().min(1).max(128)).min(1).max(16).optional(),
    })
    .optional()
    .describe('A condition of the target.'),
  schedule: z
    .strictObject({ everySeconds: z.int().min(10).max(31_536_000) })
    .optional()
    .describe('Time, over all that the selector takes.'),
});

const guards = z.strictObject({
  cooldownSeconds: seconds.default(300).describe('Pause between two runs on one target.'),
  perHour: z.int().min(1).max(3600).default(6).describe('Most runs in an hour.'),
  concurrent: z.int().min(1).max(100).default(1).describe('Most runs at a time.'),
  settleSeconds: seconds
    .default(0)
    .describe('How long a fault has to last before anything is done about it.'),
  maxEvidenceAgeSeconds: seconds
    .default(600)
    .describe('What nobody has confirmed for longer is not acted on.'),
  minEvidence: z.int().min(1).max(4).default(1).describe('How many sources have to agree.'),
  maxFlaps: z
    .int()
    .min(1)
    .max(100)
    .default(5)
    .describe('What changed more often than this in ten minutes is left alone.'),
  maxTargets: z
    .int()
    .min(1)
    .max(100_000)
    .default(5)
    .describe('With more targets in trouble, and more than the share below, nothing is done.'),
  maxTargetPercent: z.int().min(1).max(100).default(30),
  minHealthy: z
    .int()
    .min(0)
    .max(1000)
    .default(1)
    .describe('How many ready replicas each workload keeps, whatever is done.'),
  maxFailures: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('Failed runs in an hour after which it stops until a person resets it.'),
});

const step = z
  .strictObject({
    action: z.enum(opsActions),
    timeoutSeconds: z.number().min(0.1).max(86_400).optional().describe('For its post-check.'),
    workload: z.string().min(1).max(253).optional().describe('Which; absent: the target’s.'),
    command: commandSchema
      .optional()
      .describe(
        'flush-cache, prime-cache of a Workload: run in each replica; exit code 0 is done.',
      ),
    soft: z
      .boolean()
      .optional()
      .describe('flush-cache of a Channel: keep it for when the origin fails.'),
    segment: z
      .strictObject({
        name: segmentNameSchema,
        parent: segmentNameSchema.optional(),
        prefix: prefixSchema.optional(),
        prefixLength: z.int().min(1).max(126).optional(),
        nodes: selectorTextSchema.optional(),
      })
      .optional()
      .describe('create-segment: which.'),
    condition: z
      .strictObject({ type: z.string().min(1).max(316), status: z.enum(['True', 'False']) })
      .optional()
      .describe('run-check: what has to hold of the target; absent: that the fault is over.'),
    message: opsTextSchema.min(1).optional().describe('notify: what to say.'),
  })
  .superRefine((one, context) => {
    const needs = (field: 'segment' | 'message', action: string): void => {
      if (one.action === action && one[field] === undefined) {
        context.addIssue({ code: 'custom', message: `${action} needs ${field}`, path: [field] });
      }
      if (one.action !== action && one[field] !== undefined) {
        context.addIssue({ code: 'custom', message: `only ${action} has it`, path: [field] });
      }
    };
    needs('segment', 'create-segment');
    needs('message', 'notify');
  });

const spec = z
  .strictObject({
    description: opsTextSchema.optional(),
    runbook: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/)
      .optional()
      .describe('Its page in docs/runbooks.'),
    paused: z.boolean().optional().describe('Whether it does nothing for now.'),
    mode: z
      .enum(['Observe', 'Approve', 'Automatic'])
      .default('Approve')
      .describe('Observe says what it would do; Approve waits for a person; Automatic acts.'),
    on: trigger.describe('What it answers to; with several, each is evidence.'),
    target: z.strictObject({
      kind: z.enum(opsKinds),
      selector: selectorTextSchema
        .optional()
        .describe('By labels; a schedule needs one, and an empty one is not possible.'),
    }),
    guards: guards.prefault({}),
    steps: z.array(step).min(1).max(16),
    verify: z
      .strictObject({
        timeoutSeconds: z.number().min(0.1).max(86_400).default(60),
        condition: z
          .strictObject({ type: z.string().min(1).max(316), status: z.enum(['True', 'False']) })
          .optional()
          .describe('What has to hold at the end; absent: that the fault is over.'),
        accept: z
          .enum(['Cleared', 'Done'])
          .default('Cleared')
          .describe('Done: that its steps are done is enough, as of a node that stays dead.'),
      })
      .prefault({}),
    onFailure: z
      .enum(['Undo', 'Keep'])
      .default('Undo')
      .describe('What becomes of steps that are done when a later one fails.'),
    escalateTo: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('The playbook to try next; absent: a person.'),
  })
  .superRefine(({ on, target, steps }, context) => {
    if (Object.values(on).every((one) => one === undefined)) {
      context.addIssue({ code: 'custom', message: 'needs a trigger', path: ['on'] });
    }
    if (on.schedule !== undefined && target.selector === undefined) {
      const message = 'a schedule needs a selector: everything is never meant';
      context.addIssue({ code: 'custom', message, path: ['target', 'selector'] });
    }
    for (const [at, { action, command, soft }] of steps.entries()) {
      const isCache = action === 'flush-cache' || action === 'prime-cache';
      const path = ['steps', at, 'command'];
      if (isCache && target.kind !== 'Channel' && command === undefined) {
        const message = `${action} of a ${target.kind} needs command`;
        context.addIssue({ code: 'custom', message, path });
      }
      if (isCache && target.kind === 'Channel' && command !== undefined) {
        const message = 'a Channel knows by itself how it is done';
        context.addIssue({ code: 'custom', message, path });
      }
      if (soft !== undefined && (action !== 'flush-cache' || target.kind !== 'Channel')) {
        const message = 'only flush-cache of a Channel has it';
        context.addIssue({ code: 'custom', message, path: ['steps', at, 'soft'] });
      }
    }
    if (steps.at(-1)?.action === 'wait-for-approval') {
      const message = 'nothing comes after the approval';
      context.addIssue({ code: 'custom', message, path: ['steps'] });
    }
  });

const status = z.strictObject({ conditions: conditionsSchema });

export type PlaybookSpec = z.infer<typeof spec>;
export type PlaybookStep = z.infer<typeof step>;
export type PlaybookGuards = z.infer<typeof guards>;
type PlaybookStatus = z.infer<typeof status>;
export type Playbook = ApiObject<PlaybookSpec, PlaybookStatus>;

export const playbookResource: ResourceDefinition<PlaybookSpec, PlaybookStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Playbook',
  plural: 'playbooks',
  singular: 'playbook',
  shortNames: ['pb'],
  categories: ['tapline'],
  scope: 'Cluster',
  description: 'What is done about a kind of fault, and within which limits.',
  spec,
  status,
  selectableFields: [],
  columns: [
    {
      name: 'Target',
      type: 'string',
      jsonPath: '.spec.target.kind',
      description: 'Of which kind.',
    },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode', description: 'Who decides.' },
    { name: 'Paused', type: 'boolean', jsonPath: '.spec.paused', description: 'Whether it rests.' },
    {
      name: 'Description',
      type: 'string',
      jsonPath: '.spec.description',
      description: 'What it is for.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
