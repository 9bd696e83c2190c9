import type { Clock } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { deviceResource } from '@tapline/resources';
import type { PresenceWriter } from './presence-writer.ts';

/** Says of devices that they are gone which a control plane that was killed left connected, and nobody came back for. */
export async function forgetVanished(init: {
  readonly client: Pick<ResourceClient, 'list'>;
  readonly presence: Pick<PresenceWriter, 'write'>;
  readonly isHere: (device: string) => boolean;
  readonly clock: Clock;
}): Promise<void> {
  const { client, presence, isHere, clock } = init;
  const { items } = await client.list(deviceResource);
  for (const device of items) {
    const { name } = device.metadata;
    const stored = device.status?.presence;
    if (stored?.connected !== true || isHere(name)) continue;
    const since = new Date(clock.now()).toISOString();
    await presence.write(name, { epoch: stored.epoch, connected: false, since, reported: {} });
  }
}
