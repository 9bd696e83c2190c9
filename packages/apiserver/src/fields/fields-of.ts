import { isRecord } from '@tapline/base';
import type { StructuralSchema } from '@tapline/resources';
import { type FieldSet, leafSet } from './field-set.ts';
import { fieldSchema, isAtomicMap, itemStep, listTypeOf } from './list-items.ts';

/** The fields that a value sets, down to leaves, atomic lists and list items. */
export function fieldsOf(schema: StructuralSchema | undefined, value: unknown): FieldSet {
  if (Array.isArray(value)) {
    if (listTypeOf(schema) === 'atomic' || value.length === 0) return leafSet;
    const children = new Map<string, FieldSet>();
    for (const item of value) {
      const step = itemStep(schema, item);
      if (step === undefined) return leafSet;
      const below = listTypeOf(schema) === 'map' ? fieldsOf(schema?.items, item) : leafSet;
      children.set(step, { member: true, children: below.children });
    }
    return { member: false, children };
  }
  if (!isRecord(value) || isAtomicMap(schema)) return leafSet;
  const children = new Map<string, FieldSet>();
  for (const name in value) {
    if (value[name] !== undefined) {
      children.set(`f:${name}`, fieldsOf(fieldSchema(schema, name), value[name]));
    }
  }
  return children.size === 0 ? leafSet : { member: false, children };
}
