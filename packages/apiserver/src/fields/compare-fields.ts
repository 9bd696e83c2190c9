import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '@tapline/base';
import type { StructuralSchema } from '@tapline/resources';
import { emptySet, type FieldSet, isEmptySet, leafSet, unionOf } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { fieldSchema, isAtomicMap, itemStep, listTypeOf } from './list-items.ts';

export interface FieldChanges {
  /** Fields that are new or have another value. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

const none: FieldChanges = { changed: emptySet, removed: emptySet };

/** Which fields two values differ in. */
export function compareFields(
  schema: StructuralSchema | undefined,
  before: unknown,
  after: unknown,
): FieldChanges {
  if (before === after) return none;
  if (before === undefined) return { changed: fieldsOf(schema, after), removed: emptySet };
  if (after === undefined) return { changed: emptySet, removed: fieldsOf(schema, before) };
  if (Array.isArray(before) && Array.isArray(after)) {
    const oldItems = itemsByStep(schema, before);
    const newItems = itemsByStep(schema, after);
    if (oldItems !== undefined && newItems !== undefined) {
      return compareChildren(oldItems, newItems, (_step, a, b) => compareItem(schema, a, b));
    }
  } else if (isRecord(before) && isRecord(after) && !isAtomicMap(schema)) {
    return compareChildren(entriesByStep(before), entriesByStep(after), (step, a, b) =>
      compareFields(fieldSchema(schema, step.slice(2)), a, b),
    );
  }
  return isDeepStrictEqual(before, after) ? none : replaced(schema, before, after);
}

/** Something else altogether stands there: what was below it is gone. */
function replaced(
  schema: StructuralSchema | undefined,
  before: unknown,
  after: unknown,
): FieldChanges {
  const old = fieldsOf(schema, before);
  return {
    changed: unionOf(fieldsOf(schema, after), leafSet),
    removed: { member: false, children: old.children },
  };
}

function compareItem(
  schema: StructuralSchema | undefined,
  before: unknown,
  after: unknown,
): FieldChanges {
  if (before !== undefined && after !== undefined) {
    return listTypeOf(schema) === 'map' ? compareFields(schema?.items, before, after) : none;
  }
  const item = listTypeOf(schema) === 'map' ? fieldsOf(schema?.items, before ?? after) : leafSet;
  const whole = { member: true, children: item.children };
  return before === undefined
    ? { changed: whole, removed: emptySet }
    : { changed: emptySet, removed: whole };
}

function compareChildren(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
  compare: (step: string, before: unknown, after: unknown) => FieldChanges,
): FieldChanges {
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  const note = (step: string, changes: FieldChanges): void => {
    if (!isEmptySet(changes.changed)) changed.set(step, changes.changed);
    if (!isEmptySet(changes.removed)) removed.set(step, changes.removed);
  };
  for (const [step, value] of after) note(step, compare(step, before.get(step), value));
  for (const [step, value] of before) {
    if (!after.has(step)) note(step, compare(step, value, undefined));
  }
  return {
    changed: { member: false, children: changed },
    removed: { member: false, children: removed },
  };
}

function itemsByStep(
  schema: StructuralSchema | undefined,
  list: readonly unknown[],
): ReadonlyMap<string, unknown> | undefined {
  if (listTypeOf(schema) === 'atomic') return undefined;
  const items = new Map<string, unknown>();
  for (const item of list) {
    const step = itemStep(schema, item);
    if (step === undefined || items.has(step)) return undefined;
    items.set(step, item);
  }
  return items;
}

function entriesByStep(record: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const name in record) {
    if (record[name] !== undefined) entries.set(`f:${name}`, record[name]);
  }
  return entries;
}
