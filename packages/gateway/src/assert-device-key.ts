import { TaplineError } from '@tapline/base';
import { type Device, deviceKeyAnnotation, revokedDeviceKey } from '@tapline/resources';
import { keyFingerprint } from './enrolment-proof.ts';

/**
 * Refuses a certificate whose key is not, or no longer, that of the device it names. Throws
 * `device_revoked` and `device_key_replaced`.
 */
export function assertDeviceKey(device: Device, publicKey: Uint8Array): void {
  const { name, annotations } = device.metadata;
  const key = annotations?.[deviceKeyAnnotation];
  if (key === revokedDeviceKey) throw deviceRevoked(name);
  if (key === keyFingerprint(publicKey)) return;
  throw new TaplineError('device_key_replaced', `device ${name} has enrolled with another key`);
}

/** A device that was revoked: its name stays taken until somebody deletes it. */
export function deviceRevoked(name: string): TaplineError {
  return new TaplineError('device_revoked', `device ${name} was revoked`, {
    hint: `to let it join again, delete it with \`tapline delete device ${name}\` and give it a new token`,
  });
}
