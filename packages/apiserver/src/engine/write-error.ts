import { isTaplineError } from '@tapline/base';
import { alreadyExists, apiError, modifiedMeanwhile, notFound } from '../api-error.ts';
import type { ServedKind } from '../served-kind.ts';

/** A race that reading again may win; what clients sent with a revision is a plain conflict. */
export function isLostRace(error: unknown): boolean {
  return isTaplineError(error, 'conflict') && error.details['race'] === true;
}

/** A store's error as the API's. */
export function writeError(error: unknown, kind: ServedKind, name: string): unknown {
  if (!isTaplineError(error)) return error;
  switch (error.code) {
    case 'already_exists':
      return alreadyExists(kind, name);
    case 'not_found':
      return notFound(kind, name);
    case 'conflict': {
      const lost = modifiedMeanwhile(kind, name);
      Object.assign(lost.details, { race: true });
      return lost;
    }
    case 'invalid_value':
      return apiError('too_large', error.message, { about: kind, name });
    case 'store_closed':
    case 'store_full':
    case 'store_failed':
      return apiError('unavailable', error.message, { cause: error });
    default:
      return error;
  }
}
