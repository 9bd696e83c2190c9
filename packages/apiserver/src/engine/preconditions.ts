import { isRecord } from '@tapline/base';
import type { ObjectMeta } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import { badRequest, conflict, invalid, modifiedMeanwhile } from '../api-error.ts';
import type { DeleteQuery } from '../operations.ts';
import type { ServedKind } from '../served-kind.ts';
import type { StoredObject } from '../stored-object.ts';
import { decodeMetadata } from '../validate-metadata.ts';
import { parseRevision } from './parse-revision.ts';

/** What a patch may not change. A revision in it says which one it is for. */
export function checkPatched(kind: ServedKind, live: StoredObject, value: unknown): void {
  const { name } = live.object.metadata;
  const metadata = isRecord(value) ? value['metadata'] : undefined;
  const next = decodeMetadata(kind, metadata, { name, fieldValidation: 'Ignore' });
  if (next.resourceVersion !== undefined && parseRevision(next.resourceVersion) !== live.revision) {
    throw modifiedMeanwhile(kind, name);
  }
  for (const field of ['name', 'namespace'] as const) {
    if (next[field] !== live.object.metadata[field]) {
      throw invalid(kind, name, [
        {
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${JSON.stringify(next[field] ?? '').slice(0, 128)}: field is immutable`,
          field: `metadata.${field}`,
        },
      ]);
    }
  }
  checkUid(kind, live.object, next.uid);
}

/** Another object by the same name is not the one that was meant. */
export function checkUid(kind: ServedKind, live: AnyObject, uid: string | undefined): void {
  if (uid === undefined || uid === '' || uid === live.metadata.uid) return;
  throw conflict(
    kind,
    live.metadata.name,
    `Precondition failed: UID in precondition: ${uid.slice(0, 64)}, UID in object meta: ${live.metadata.uid}`,
  );
}

/** What an object says of its namespace has to be what the request says. */
export function checkNamespace(
  kind: ServedKind,
  metadata: ObjectMeta,
  namespace: string | undefined,
): void {
  const given = metadata.namespace ?? '';
  if (given === '' || given === namespace) return;
  throw badRequest(
    kind.namespaced
      ? `the namespace of the provided object does not match the namespace sent on the request`
      : `${kind.kind} is not namespaced, but metadata.namespace is ${JSON.stringify(given.slice(0, 64))}`,
  );
}

/** What a deletion asks the object to be still. */
export function checkPreconditions(kind: ServedKind, live: StoredObject, query: DeleteQuery): void {
  checkUid(kind, live.object, query.uid);
  const revision = parseRevision(query.resourceVersion);
  if (revision === undefined || revision === live.revision) return;
  throw conflict(
    kind,
    live.object.metadata.name,
    `Precondition failed: ResourceVersion in precondition: ${revision}, ResourceVersion in object meta: ${live.revision}`,
  );
}
