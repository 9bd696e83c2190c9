import type { Store, WriteOperation } from '@tapline/store';
import type { AnyObject } from '../any-object.ts';
import type { ObjectCache } from '../object-cache.ts';
import { storedText } from '../object-text.ts';
import type { ServedKind } from '../served-kind.ts';
import { StoredObject } from '../stored-object.ts';
import { writeError } from './write-error.ts';

/** Writes one object, or nothing on a dry run; what is written is not parsed again. */
export async function writeObject(
  { store, cache }: { readonly store: Store; readonly cache: ObjectCache },
  kind: ServedKind,
  write: {
    readonly operation: WriteOperation;
    readonly object: AnyObject;
    readonly dryRun: boolean;
  },
): Promise<StoredObject> {
  const { operation, object, dryRun } = write;
  if (dryRun) {
    const value = storedText(kind, object);
    return new StoredObject(kind, value, Number(object.metadata.resourceVersion ?? 0));
  }
  try {
    const { revision } = await store.write([operation]);
    const stored = new StoredObject(
      kind,
      operation.kind === 'delete' ? storedText(kind, object) : operation.value,
      revision,
      { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } },
    );
    if (operation.kind === 'delete') cache.forget(operation.key);
    else cache.put(operation.key, stored);
    return stored;
  } catch (error) {
    throw writeError(error, kind, object.metadata.name);
  }
}
