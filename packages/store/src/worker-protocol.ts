import { errorMessage, isTaplineError, TaplineError } from '@tapline/base';
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

/** A {@link TaplineError} as plain data: cloning an error keeps neither its class nor its code. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause: string | undefined;
}

export function toTuple(record: ChangeRecord): RecordTuple {
  return [record.revision, record.createRevision, record.key, record.value];
}

export function fromTuple(tuple: RecordTuple): ChangeRecord {
  const [revision, createRevision, key, value] = tuple;
  return { revision, createRevision, key, value };
}

export function toErrorData(error: unknown): ErrorData {
  if (!isTaplineError(error)) {
    const message = errorMessage(error);
    return { code: 'store_io', message, hint: undefined, details: {}, cause: undefined };
  }
  const { code, message, hint, details, cause } = error;
  return { code, message, hint, details, cause: cause === undefined ? cause : errorMessage(cause) };
}

export function fromErrorData(data: ErrorData): TaplineError {
  const { code, message, hint, details, cause } = data;
  return new TaplineError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    details,
    ...(cause === undefined ? {} : { cause: new Error(cause) }),
  });
}
