import { isTaplineError } from '@tapline/base';

/**
 * Somebody else wrote or removed the object since it was read. Their event brings it here again, so
 * there is nothing to do.
 */
export function isLostRace(error: unknown): boolean {
  return isTaplineError(error, 'conflict') || isTaplineError(error, 'not_found');
}
