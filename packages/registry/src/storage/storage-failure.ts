import { isSystemError, TaplineError } from '@tapline/base';

// https://sqlite.org/rescode.html, primary result code.
const sqliteFull = 13;

/** A full disk as `storage_full`; other errors as they are. `what` was being written. */
export function storageFailure(error: unknown, what: string): unknown {
  const isFull =
    isSystemError(error, 'ENOSPC') ||
    isSystemError(error, 'EDQUOT') ||
    (error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === sqliteFull);
  if (!isFull) return error;
  return new TaplineError('storage_full', `the registry's disk is full, ${what} was not written`, {
    cause: error,
    hint: 'free space, for example by collecting garbage, and continue the upload',
  });
}
