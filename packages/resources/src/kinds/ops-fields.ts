import { z } from 'zod';

/** What OpsBot can do something about. */
export const opsKinds = [
  'Device',
  'Node',
  'Workload',
  'Channel',
  'Segment',
  'Delivery',
  'Install',
  'Attachment',
] as const;

export const opsTargetSchema = z.strictObject({
  kind: z.enum(opsKinds),
  name: z.string().min(1).max(253),
});

export const opsTimeSchema: z.ZodISODateTime = z.iso.datetime({ offset: true });

/** One sentence for people. */
export const opsTextSchema: z.ZodString = z.string().max(1024);

export const opsEvidenceSchema = z.strictObject({
  source: z.enum(['icinga', 'alertmanager', 'condition', 'schedule', 'person']),
  key: z.string().min(1).max(600).describe('Which fault, the same however often it is told.'),
  says: opsTextSchema,
  since: opsTimeSchema.describe('When it began, by the clock of who says it.'),
});

export const opsVerdictSchema = z.strictObject({
  guard: z.string().max(64).describe('Which guard rail.'),
  allowed: z.boolean(),
  says: opsTextSchema.describe('Why, with the value and the limit.'),
});

export type OpsTarget = z.infer<typeof opsTargetSchema>;
export type OpsEvidence = z.infer<typeof opsEvidenceSchema>;
export type OpsVerdict = z.infer<typeof opsVerdictSchema>;
