import type { ErrorData } from '@tapline/base';
import type { ChangeRecord } from './versioned-map.ts';

/** What {@link WorkerJournal} asks its thread; each is answered by one {@link Reply}, in order. */
export type Request =
  | { readonly kind: 'open'; readonly path: string; readonly maxBytes?: number }
  | { readonly kind: 'read'; readonly after: number }
  | { readonly kind: 'append'; readonly records: readonly RecordTuple[] }
  | { readonly kind: 'compact'; readonly revision: number; readonly dead: readonly number[] }
  | { readonly kind: 'close' };

export type Reply =
  | { readonly kind: 'opened'; readonly compactedRevision: number }
  | { readonly kind: 'records'; readonly records: readonly RecordTuple[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly error: ErrorData };

/** Revision, create revision, key, value: a tuple, since cloning an object repeats its names. */
export type RecordTuple = readonly [number, number, string, string | null];

export function toTuple(record: ChangeRecord): RecordTuple {
  return [record.revision, record.createRevision, record.key, record.value];
}

export function fromTuple(tuple: RecordTuple): ChangeRecord {
  const [revision, createRevision, key, value] = tuple;
  return { revision, createRevision, key, value };
}
