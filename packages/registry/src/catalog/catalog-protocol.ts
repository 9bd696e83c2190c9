import { errorMessage, isTaplineError, TaplineError } from '@tapline/base';
import { storageFailure } from '../storage/storage-failure.ts';
import type { CatalogWrite } from './catalog-write.ts';
import type { Quota } from './quota.ts';

/** What {@link WriteThread} asks its thread; each is answered by one {@link CatalogReply}, in order. */
export type CatalogRequest =
  | { readonly kind: 'open'; readonly directory: string; readonly quotas: readonly Quota[] }
  | { readonly kind: 'write'; readonly writes: readonly CatalogWrite[] }
  | { readonly kind: 'close' };

export type CatalogReply =
  | { readonly kind: 'done' }
  /** A number of changes, or why the write was refused, for each write. */
  | { readonly kind: 'written'; readonly outcomes: readonly (number | ErrorData)[] }
  /** Nothing of the request was done. */
  | { readonly kind: 'failed'; readonly error: ErrorData };

/** A {@link TaplineError} as plain data: cloning an error keeps neither its class nor its code. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause: string | undefined;
}

export function toErrorData(error: unknown): ErrorData {
  const known = storageFailure(error, 'the catalog of the registry');
  if (!isTaplineError(known)) {
    const message = `the catalog of the registry: ${errorMessage(known)}`;
    return { code: 'registry_io', message, hint: undefined, details: {}, cause: undefined };
  }
  const { code, message, hint, details, cause } = known;
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
