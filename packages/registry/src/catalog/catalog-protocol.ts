import { type ErrorData, errorMessage, isTaplineError, toErrorData } from '@tapline/base';
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

/** Why the catalog did not do something, for the thread that asked. */
export function toCatalogError(error: unknown): ErrorData {
  const known = storageFailure(error, 'the catalog of the registry');
  if (isTaplineError(known)) return toErrorData(known, known.code);
  return toErrorData(
    new Error(`the catalog of the registry: ${errorMessage(known)}`),
    'registry_io',
  );
}
