import { isRecord } from '@tapline/base';
import type { ManagedFieldsEntry, ObjectMeta } from '@tapline/resources';
import { apiError, type Cause } from '../api-error.ts';
import type { AnyObject } from '../any-object.ts';
import type { ServedKind } from '../served-kind.ts';
import { compareFields } from './compare-fields.ts';
import {
  differenceOf,
  emptySet,
  type FieldSet,
  intersectionOf,
  isEmptySet,
  pathsOf,
  unionOf,
  unownedOf,
} from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { type FieldManager, isSameManager, readManagers, writeManagers } from './managed-fields.ts';
import { managedView } from './managed-view.ts';
import { mergeFields } from './merge-fields.ts';
import { removeFields } from './remove-fields.ts';
import type { UpdateContext } from './track-update.ts';

/** Merged, not yet validated: validation and defaulting may still change it. */
export interface Applied {
  readonly object: AnyObject;
  /** The managedFields, given the object as it will be stored. */
  readonly managedFields: (stored: AnyObject) => readonly ManagedFieldsEntry[];
}

/**
 * Server-side apply: the applied fields over the live object; fields that the manager applied before
 * and left out now go, unless someone else owns them. A field that another manager owns with another
 * value is a `conflict`, unless forced.
 */
export function applyObject(
  kind: ServedKind,
  live: AnyObject,
  config: AnyObject,
  context: UpdateContext & { readonly force: boolean },
): Applied {
  const { subresource } = context;
  const self = { ...context, operation: 'Apply' as const };
  const managers = readManagers(live.metadata.managedFields);
  const previous = managers.find((one) => isSameManager(one, self));
  const others = managers.filter((one) => one !== previous);

  const liveView = managedView(kind, live, subresource);
  const configView = managedView(kind, config, subresource);
  const set = viewFields(kind, configView);
  const merged = mergeFields(kind.schema, liveView, configView);
  const owned = others.reduce((all, one) => unionOf(all, one.set), set);
  const dropped = previous === undefined ? emptySet : unownedOf(previous.set, owned);
  const wanted = removeFields(kind.schema, merged, dropped) ?? {};

  const { changed } = compareFields(kind.schema, liveView, wanted);
  const contested = others
    .map((one) => ({ one, fields: intersectionOf(one.set, intersectionOf(changed, set)) }))
    .filter(({ fields }) => !isEmptySet(fields));
  if (contested.length > 0 && !context.force) throw applyConflict(kind, contested);

  const object = withView(kind, live, isRecord(wanted) ? wanted : {}, subresource);
  return {
    object,
    managedFields: (stored) => {
      const actual = compareFields(kind.schema, liveView, managedView(kind, stored, subresource));
      const lost = (one: FieldManager): FieldSet =>
        differenceOf(
          differenceOf(one.set, actual.removed),
          // Forced: what changed hands leaves its former manager.
          intersectionOf(actual.changed, one.set),
        );
      const unchanged = previous !== undefined && isSameSet(previous.set, set);
      const time = unchanged ? previous.time : context.time;
      return writeManagers([
        ...others.map((one) => ({ ...one, set: lost(one) })),
        { ...self, time, apiVersion: kind.apiVersion, set },
      ]);
    },
  };
}

function viewFields(kind: ServedKind, view: Readonly<Record<string, unknown>>): FieldSet {
  return Object.keys(view).length === 0 ? emptySet : fieldsOf(kind.schema, view);
}

function isSameSet(a: FieldSet, b: FieldSet): boolean {
  return isEmptySet(differenceOf(a, b)) && isEmptySet(differenceOf(b, a));
}

/** The live object with its managed part replaced. */
function withView(
  kind: ServedKind,
  live: AnyObject,
  view: Readonly<Record<string, unknown>>,
  subresource: string | undefined,
): AnyObject {
  if (kind.hasStatus && subresource === 'status') {
    return { ...live, status: view['status'] };
  }
  const { metadata, ...fields } = view;
  const {
    labels: _labels,
    annotations: _annotations,
    finalizers: _finalizers,
    ownerReferences: _ownerReferences,
    ...kept
  } = live.metadata;
  return {
    apiVersion: live.apiVersion,
    kind: live.kind,
    metadata: { ...kept, ...(metadata as Partial<ObjectMeta> | undefined) },
    ...fields,
    ...(kind.hasStatus && live['status'] !== undefined ? { status: live['status'] } : {}),
  };
}

function applyConflict(
  kind: ServedKind,
  contested: readonly { readonly one: FieldManager; readonly fields: FieldSet }[],
): Error {
  const causes: Cause[] = contested.flatMap(({ one, fields }) =>
    pathsOf(fields).map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with "${one.manager}"${one.subresource === undefined ? '' : ` with subresource "${one.subresource}"`} using ${one.apiVersion}${one.operation === 'Update' && one.time !== undefined ? ` at ${one.time}` : ''}`,
      field,
    })),
  );
  const count = causes.length;
  const [first] = causes;
  const text =
    count === 1
      ? `${first?.message}: ${first?.field}`
      : causes.map(({ message, field }) => `${message}: ${field}`).join('\n');
  return apiError(
    'conflict',
    `Apply failed with ${count} conflict${count === 1 ? '' : 's'}: ${text}`,
    { causes, about: kind },
  );
}
