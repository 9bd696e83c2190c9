import { isRecord } from '@tapline/base';
import type { StructuralSchema } from '@tapline/resources';
import { fieldSchema, isAtomicMap, itemStep, listTypeOf } from './list-items.ts';

/** `applied` over `live`: maps field by field, lists as their type says, everything else replaced. */
export function mergeFields(
  schema: StructuralSchema | undefined,
  live: unknown,
  applied: unknown,
): unknown {
  if (Array.isArray(applied) && Array.isArray(live) && listTypeOf(schema) !== 'atomic') {
    return mergeLists(schema, live, applied);
  }
  if (!isRecord(applied) || !isRecord(live) || isAtomicMap(schema)) return applied;
  const result: Record<string, unknown> = { ...live };
  for (const [name, value] of Object.entries(applied)) {
    const current = Object.hasOwn(live, name) ? live[name] : undefined;
    setOwn(result, name, mergeFields(fieldSchema(schema, name), current, value));
  }
  return result;
}

/** Live items keep their places; new ones follow in the order they were applied in. */
function mergeLists(
  schema: StructuralSchema | undefined,
  live: readonly unknown[],
  applied: readonly unknown[],
): unknown {
  const items = new Map<string, unknown>();
  for (const item of live) {
    const step = itemStep(schema, item);
    if (step === undefined) return applied;
    items.set(step, item);
  }
  for (const item of applied) {
    const step = itemStep(schema, item);
    if (step === undefined) return applied;
    const current = items.get(step);
    items.set(step, current === undefined ? item : mergeFields(schema?.items, current, item));
  }
  return [...items.values()];
}

/** Sets a property also where its name is `__proto__`. */
export function setOwn(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
