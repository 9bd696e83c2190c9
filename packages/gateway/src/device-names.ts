import { TaplineError } from '@tapline/base';

export const devicesGroup = 'system:devices';
export const nodesGroup = 'system:nodes';

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Who a device's certificate says it is. */
export function deviceUser(device: string, role: 'device' | 'node' = 'device'): string {
  return `system:${role}:${device}`;
}

/** The device or node that a user name stands for, or undefined where it is somebody else. */
export function deviceOfUser(user: string): string | undefined {
  return /^system:(?:device|node):(.+)$/.exec(user)?.[1];
}

/** Throws `device_name_invalid`. No dots: an Install's name is `<device>.<formula>`. */
export function checkDeviceName(name: string): void {
  if (label.test(name)) return;
  throw new TaplineError(
    'device_name_invalid',
    `device name ${JSON.stringify(name.slice(0, 80))} is not 1 to 63 of a-z, 0-9 and -`,
  );
}
