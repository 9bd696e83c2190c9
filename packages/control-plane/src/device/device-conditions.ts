import { type Device, setCondition, type DeviceStatus } from '@tapline/resources';

/** The conditions that follow from a device's presence; the same array where nothing changed. */
export function deviceConditions(device: Device, nowMs: number): DeviceStatus['conditions'] {
  const { presence, conditions } = device.status ?? {};
  // A write here would only be in the way of the first session's.
  if (presence === undefined) return conditions;
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
