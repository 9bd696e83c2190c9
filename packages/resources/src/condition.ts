import { z } from 'zod';

export const conditionSchema = z.strictObject({
  type: z.string().min(1).max(316).describe('What the condition is about, in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().min(1).max(1024).describe('Why, as one CamelCase word for programs.'),
  message: z.string().max(32_768).describe('Why, as a sentence for people.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('The metadata.generation this was set for.'),
  lastTransitionTime: z.iso.datetime({ offset: true }).describe('When status last changed.'),
});

/** A Kubernetes condition. */
export type Condition = z.infer<typeof conditionSchema>;

/** The conditions of a status, one a type. */
export const conditionsSchema: z.ZodOptional<z.ZodArray<typeof conditionSchema>> = z
  .array(conditionSchema)
  .max(32)
  .optional()
  .describe('What holds of the object now, one entry a type.')
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

/** The condition of that type, if it was ever set. */
export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * `conditions` with `next` in place of the one of its type. lastTransitionTime moves only when the
 * status changes; an equal condition gives back the same array, so callers can skip the write.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  next: Omit<Condition, 'lastTransitionTime'>,
  nowMs: number,
): Condition[] {
  const current = findCondition(conditions, next.type);
  const lastTransitionTime =
    current?.status === next.status
      ? current.lastTransitionTime
      : new Date(Math.floor(nowMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  const rest = (conditions ?? []).filter((condition) => condition.type !== next.type);
  return [...rest, { ...next, lastTransitionTime }].toSorted((a, b) => (a.type < b.type ? -1 : 1));
}
