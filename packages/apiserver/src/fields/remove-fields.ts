import { isRecord } from '@tapline/base';
import type { StructuralSchema } from '@tapline/resources';
import type { FieldSet } from './field-set.ts';
import { fieldSchema, itemStep } from './list-items.ts';
import { setOwn } from './merge-fields.ts';

/** `value` without the members of `set` and all below them; a place that becomes empty goes too. */
export function removeFields(
  schema: StructuralSchema | undefined,
  value: unknown,
  set: FieldSet,
): unknown {
  if (set.member) return undefined;
  if (Array.isArray(value)) {
    const kept = value.flatMap((item) => {
      const step = itemStep(schema, item);
      const below = step === undefined ? undefined : set.children.get(step);
      if (below === undefined) return [item];
      const rest = removeFields(schema?.items, item, below);
      return rest === undefined ? [] : [rest];
    });
    return kept.length === 0 && value.length > 0 ? undefined : kept;
  }
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  let removed = 0;
  for (const [name, child] of Object.entries(value)) {
    const below = set.children.get(`f:${name}`);
    const rest =
      below === undefined ? child : removeFields(fieldSchema(schema, name), child, below);
    if (rest === undefined) removed += 1;
    else setOwn(result, name, rest);
  }
  return removed > 0 && Object.keys(result).length === 0 ? undefined : result;
}
