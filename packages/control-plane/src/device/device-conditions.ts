import {
  type Device,
  deviceKeyAnnotation,
  type DeviceStatus,
  revokedDeviceKey,
  setCondition,
} from '@tapline/resources';

/** The conditions that follow from a device's presence; the same array where nothing changed. */
export function deviceConditions(device: Device, nowMs: number): DeviceStatus['conditions'] {
  const { presence, conditions } = device.status ?? {};
  // A write here would only be in the way of the first session's.
  if (presence === undefined) return conditions;
  const revoked = device.metadata.annotations?.[deviceKeyAnnotation] === revokedDeviceKey;
  if (revoked && !presence.connected) {
    const message = `its key was revoked; session ${presence.epoch} ended at ${presence.since}`;
    const gone = { type: 'Ready', status: 'False', reason: 'Revoked', message } as const;
    return setCondition(conditions, gone, nowMs);
  }
  const condition = presence.connected
    ? ({
        status: 'True',
        reason: 'Connected',
        message: `session ${presence.epoch} is open since ${presence.since}`,
      } as const)
    : ({
        status: 'False',
        reason: 'Offline',
        message: `session ${presence.epoch} ended at ${presence.since}`,
      } as const);
  return setCondition(conditions, { type: 'Ready', ...condition }, nowMs);
}
