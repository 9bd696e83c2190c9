import { isRecord } from '@tapline/base';
import type { StructuralSchema } from '@tapline/resources';

/** How fields of lists are owned: the whole list, its items by value, or its items by keys. */
export type ListType = 'atomic' | 'set' | 'map';

export function listTypeOf(schema: StructuralSchema | undefined): ListType {
  return schema?.['x-kubernetes-list-type'] ?? 'atomic';
}

export function isAtomicMap(schema: StructuralSchema | undefined): boolean {
  return schema?.['x-kubernetes-map-type'] === 'atomic';
}

/** The step to an item: `v:"x"` in a set, `k:{"type":"Ready"}` in a map; undefined without its keys. */
export function itemStep(schema: StructuralSchema | undefined, item: unknown): string | undefined {
  if (listTypeOf(schema) === 'set') return `v:${JSON.stringify(item)}`;
  if (!isRecord(item)) return undefined;
  const keys: Record<string, unknown> = {};
  for (const name of (schema?.['x-kubernetes-list-map-keys'] ?? []).toSorted()) {
    const value = Object.hasOwn(item, name)
      ? item[name]
      : schema?.items?.properties?.[name]?.default;
    if (value === undefined || value === null) return undefined;
    keys[name] = value;
  }
  return `k:${JSON.stringify(keys)}`;
}

/** The schema of a field; undefined where nothing is known. */
export function fieldSchema(
  schema: StructuralSchema | undefined,
  name: string,
): StructuralSchema | undefined {
  const properties = schema?.properties;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return schema?.additionalProperties;
}
