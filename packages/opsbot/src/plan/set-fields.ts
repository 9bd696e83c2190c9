import { isRecord } from '@tapline/base';
import type { ApiObject } from '@tapline/resources';
import type { FieldChange, FieldValue } from './operation.ts';

/** The object with these fields otherwise; null takes one away. */
export function setFields(object: ApiObject, fields: readonly FieldChange[]): ApiObject {
  return fields.reduce<ApiObject>(
    (changed, { path, value }) => setField(changed, path, value) as ApiObject,
    object,
  );
}

/** Which of the fields are neither as they were nor as they are to be: somebody else had a hand in. */
export function foreignFields(
  object: ApiObject,
  fields: readonly FieldChange[],
): readonly FieldChange[] {
  return fields.filter(({ path, value, was }) => {
    const is = readField(object, path);
    return is !== value && is !== was;
  });
}

export function readField(object: unknown, path: readonly string[]): FieldValue {
  let value = object;
  for (const key of path) value = isRecord(value) ? value[key] : undefined;
  return isFieldValue(value) ? value : null;
}

function setField(value: unknown, path: readonly string[], leaf: FieldValue): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return leaf;
  const before = isRecord(value) ? value : {};
  if (rest.length === 0 && leaf === null) {
    const { [key]: _, ...others } = before;
    return others;
  }
  return { ...before, [key]: setField(before[key], rest, leaf) };
}

function isFieldValue(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
