import type { Change, Entry } from './store.ts';

/** The entry a change left behind; for a deletion the last value, at the deletion's revision. */
export function entryOf(change: Change): Entry {
  return {
    key: change.key,
    value: change.value,
    createRevision: change.createRevision,
    modRevision: change.revision,
  };
}

/** The entry under the key of a change after it: none after a deletion. */
export function entryLeft(change: Change): Entry | undefined {
  return change.kind === 'put' ? entryOf(change) : undefined;
}
