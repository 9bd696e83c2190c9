import type { ManagedFieldsEntry } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import type { ServedKind } from '../served-kind.ts';
import { compareFields } from './compare-fields.ts';
import { differenceOf, emptySet, isEmptySet, pathsOf, unionOf } from './field-set.ts';
import { isSameManager, readManagers, writeManagers } from './managed-fields.ts';
import { managedView } from './managed-view.ts';

export interface UpdateContext {
  readonly manager: string;
  readonly subresource: string | undefined;
  readonly time: string;
}

export interface TrackedUpdate {
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** Paths of the fields that changed, without a leading dot; none for a new object. */
  readonly changed: readonly string[];
}

/**
 * The managedFields after a create, update or patch: the writer owns what it changed, and others
 * lose what is no longer theirs. `listed` are the entries that the writer sent or left in place.
 */
export function trackUpdate(
  kind: ServedKind,
  objects: { readonly before: AnyObject | undefined; readonly after: AnyObject },
  listed: readonly ManagedFieldsEntry[] | undefined,
  context: UpdateContext,
): TrackedUpdate {
  const { before, after } = objects;
  const { changed, removed } = compareFields(
    kind.schema,
    before === undefined ? {} : managedView(kind, before, context.subresource),
    managedView(kind, after, context.subresource),
  );
  if (isEmptySet(changed) && isEmptySet(removed))
    return { managedFields: listed ?? [], changed: [] };
  const gone = unionOf(changed, removed);
  const self = { ...context, operation: 'Update' as const };
  const managers = readManagers(listed);
  const own = managers.find((one) => isSameManager(one, self));
  const others = managers
    .filter((one) => one !== own)
    .map((one) => ({ ...one, set: differenceOf(one.set, gone) }));
  const set = unionOf(differenceOf(own?.set ?? emptySet, removed), changed);
  const updated = { ...self, apiVersion: kind.apiVersion, set };
  return {
    managedFields: writeManagers([...others, updated]),
    changed: before === undefined ? [] : pathsOf(gone).map((path) => path.slice(1)),
  };
}
