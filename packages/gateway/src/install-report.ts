import type { Patch } from '@tapline/client';
import type { InstallStatus } from '@tapline/resources';

/**
 * What a device says of an Install, as a patch of its status: what the device owns and is absent now is
 * deleted. It has the uid: another Install of the same name is not what the status is of.
 */
export function installReport(uid: string, status: InstallStatus): Patch {
  const body = { metadata: { uid }, status: { active: null, error: null, ...status } };
  return { kind: 'merge', body };
}
