import type { ManagedFieldsEntry } from '@tapline/resources';
import { decodeFields, encodeFields, type FieldSet, isEmptySet } from './field-set.ts';

/** Who set which fields, and how. */
export interface FieldManager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string | undefined;
  readonly time: string | undefined;
  readonly set: FieldSet;
}

export const maxManagerLength = 128;

/** The managers an object lists; entries that are not of the form are left out. */
export function readManagers(entries: readonly ManagedFieldsEntry[] = []): readonly FieldManager[] {
  return entries
    .filter((entry) => entry.operation === 'Apply' || entry.operation === 'Update')
    .map((entry) => ({
      manager: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      subresource: entry.subresource === '' ? undefined : entry.subresource,
      time: entry.time,
      set: decodeFields(entry.fieldsV1),
    }));
}

/** The same for the object; managers of nothing are left out. */
export function writeManagers(managers: readonly FieldManager[]): readonly ManagedFieldsEntry[] {
  return managers
    .filter(({ set }) => !isEmptySet(set))
    .toSorted(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time ?? '', b.time ?? '') ||
        compareText(a.manager, b.manager),
    )
    .map((manager) => ({
      manager: manager.manager,
      operation: manager.operation,
      apiVersion: manager.apiVersion,
      ...(manager.time === undefined ? {} : { time: manager.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFields(manager.set),
      ...(manager.subresource === undefined ? {} : { subresource: manager.subresource }),
    }));
}

/** Whether two entries are about the same manager. */
export function isSameManager(
  a: Pick<FieldManager, 'manager' | 'operation' | 'subresource'>,
  b: Pick<FieldManager, 'manager' | 'operation' | 'subresource'>,
): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
