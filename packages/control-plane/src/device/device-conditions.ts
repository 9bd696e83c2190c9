import { type Device, setCondition, type DeviceStatus } from '@tapline/resources';

/** The conditions that follow from a device's presence; the same array where nothing changed. */
export function deviceConditions(device: Device, nowMs: number): DeviceStatus['conditions'] {
  const { presence, conditions } = device.status ?? {};
  const condition =
    presence === undefined
      ? ({
          status: 'Unknown',
          reason: 'NeverConnected',
          message: 'the device has joined but never connected',
        } as const)
      : presence.connected
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
