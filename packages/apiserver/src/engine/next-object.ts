import { isDeepStrictEqual } from 'node:util';
import { defined } from '@tapline/base';
import type { ObjectMeta } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import { invalid } from '../api-error.ts';
import type { ServedKind } from '../served-kind.ts';
import { validateBody } from '../validate-body.ts';
import { decodeMetadata, metadataCauses } from '../validate-metadata.ts';
import { rawObject } from './raw-object.ts';
import type { WriteContext } from './write-context.ts';

/** Kinds whose objects Kubernetes gives no generation to have none here either. */
function countsGenerations(kind: ServedKind): boolean {
  return kind.hasStatus;
}

export interface NewIdentity {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly uid: string;
  readonly time: string;
}

/** The metadata that a client may set and nobody interprets. */
function clientMetadata(metadata: ObjectMeta): Partial<ObjectMeta> {
  const { generateName, labels, annotations, ownerReferences, finalizers } = metadata;
  return {
    ...(generateName === undefined ? {} : { generateName }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
    ...(finalizers === undefined || finalizers.length === 0 ? {} : { finalizers }),
  };
}

/** The object to create, checked and defaulted, without managedFields. */
export function newObject(
  kind: ServedKind,
  value: unknown,
  metadata: ObjectMeta,
  context: WriteContext & { readonly identity: NewIdentity },
): AnyObject {
  const { name, namespace, uid, time } = context.identity;
  refuseCauses(kind, metadata);
  const { status, ...fields } = rawObject(kind, value).fields;
  // As in Kubernetes: a status that comes with a new object is dropped, not refused.
  const given = kind.hasStatus || status === undefined ? fields : { ...fields, status };
  const body = validateBody(kind, given, { ...context, name });
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      ...(countsGenerations(kind) ? { generation: 1 } : {}),
      creationTimestamp: time,
      ...clientMetadata(metadata),
    },
    ...body,
  };
}

/** The object after an update, checked and defaulted, with the live object's managedFields. */
export function updatedObject(
  kind: ServedKind,
  live: AnyObject,
  value: unknown,
  context: WriteContext,
): { readonly object: AnyObject; readonly metadata: ObjectMeta } {
  const { name } = live.metadata;
  const raw = rawObject(kind, value);
  const metadata = decodeMetadata(kind, raw.metadata, { ...context, name });
  const statusOnly = kind.hasStatus && context.subresource === 'status';
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...liveFields } = live;
  const fields = statusOnly
    ? { ...liveFields, status: raw.fields['status'] ?? {} }
    : kind.hasStatus
      ? { ...raw.fields, status: liveFields['status'] }
      : raw.fields;
  const body = validateBody(kind, defined(fields), { ...context, name });
  const kept = serverMetadata(live.metadata);
  if (statusOnly) return { object: { ...live, ...body }, metadata };
  refuseCauses(kind, metadata);
  refuseNewFinalizers(kind, live.metadata, metadata);
  const wantedChanged =
    countsGenerations(kind) && !isDeepStrictEqual(body['spec'], liveFields['spec']);
  return {
    object: {
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata: {
        ...kept,
        ...(wantedChanged ? { generation: (live.metadata.generation ?? 0) + 1 } : {}),
        ...clientMetadata(metadata),
      },
      ...body,
    },
    metadata,
  };
}

/** What of the metadata an update cannot change. */
function serverMetadata(live: ObjectMeta): ObjectMeta {
  const {
    labels: _labels,
    annotations: _annotations,
    ownerReferences: _ownerReferences,
    finalizers: _finalizers,
    ...kept
  } = live;
  return kept;
}

function refuseCauses(kind: ServedKind, metadata: ObjectMeta): void {
  const causes = metadataCauses(metadata);
  if (causes.length > 0) throw invalid(kind, metadata.name, causes);
}

function refuseNewFinalizers(kind: ServedKind, live: ObjectMeta, next: ObjectMeta): void {
  if (live.deletionTimestamp === undefined) return;
  const added = (next.finalizers ?? []).filter((one) => live.finalizers?.includes(one) !== true);
  if (added.length === 0) return;
  throw invalid(kind, live.name, [
    {
      reason: 'FieldValueForbidden',
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
      field: 'metadata.finalizers',
    },
  ]);
}
