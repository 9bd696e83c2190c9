import { errorMessage, isTaplineError, TaplineError } from '@tapline/base';

// https://sqlite.org/rescode.html, primary result codes.
const sqliteBusy = 5;
const sqliteCorrupt = 11;
const sqliteFull = 13;
const sqliteNotADatabase = 26;

/** What an error of SQLite or of the file system means for a store. */
export function sqliteFailure(error: unknown, path: string): TaplineError {
  if (isTaplineError(error)) return error;
  const options = { cause: error, details: { path } };
  switch (primaryCode(error)) {
    case sqliteBusy:
      return new TaplineError('store_locked', `${path} is in use by another process`, {
        ...options,
        hint: 'stop the other process, or give this one a store of its own',
      });
    case sqliteCorrupt:
    case sqliteNotADatabase:
      return new TaplineError('store_corrupt', `${path} is damaged or not a store`, {
        ...options,
        hint: 'restore it from a backup',
      });
    case sqliteFull:
      return new TaplineError(
        'store_full',
        `${path} cannot grow: its limit or the disk is reached`,
        {
          ...options,
          hint: 'make room, or delete objects and compact',
        },
      );
    default:
      return new TaplineError('store_io', `${path}: ${errorMessage(error)}`, options);
  }
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error)) return undefined;
  return Number(error.errcode) & 0xff;
}
