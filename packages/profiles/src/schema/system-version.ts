import { TaplineError } from '@tapline/base';
import type { AppleSystem } from './payload-schema.ts';

/** Where a profile is to be installed. */
export interface ProfileTarget {
  readonly system: AppleSystem;
  /** Such as 17.4. */
  readonly version: string;
}

/** Whether `version` is older than `other`; throws `os_version_invalid`. */
export function isOlder(version: string, other: string): boolean {
  const [left, right] = [numbers(version), numbers(other)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function numbers(version: string): readonly number[] {
  if (!/^\d{1,4}(\.\d{1,4}){0,2}$/.test(version)) {
    throw new TaplineError('os_version_invalid', `${version} is no version such as 17.4`);
  }
  return version.split('.').map(Number);
}
