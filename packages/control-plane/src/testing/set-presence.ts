import { systemClock } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { deviceResource } from '@tapline/resources';
import { eventually } from '@tapline/testing';

/** Says of a device that it came or went, in a session of its own, as the gateway would. */
export async function setPresence(
  client: ResourceClient,
  name: string,
  connected: boolean,
): Promise<void> {
  await eventually('its presence is written', async () => {
    const device = await client.get(deviceResource, name);
    const epoch = (device.status?.presence?.epoch ?? 0) + 1;
    const presence = { connected, epoch, since: new Date(systemClock.now()).toISOString() };
    return await client
      .updateStatus(deviceResource, { ...device, status: { ...device.status, presence } })
      .catch(() => undefined);
  });
}
