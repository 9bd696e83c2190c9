import type { TunnelStream } from '@tapline/tunnel';
import { ForwardCode, passOn } from './forward-code.ts';

/**
 * Copies both ways until both have ended, each way by itself and no faster than its reader reads.
 * A reset of one is one of the other.
 */
export async function joinStreams(user: TunnelStream, device: TunnelStream): Promise<void> {
  // Of no effect on the one that has failed: it is over.
  const fail = (error: unknown): void => {
    passOn(error, device, { code: ForwardCode.ConnectionReset, reason: 'the user went away' });
    passOn(error, user, { code: ForwardCode.DeviceOffline, reason: 'the device went away' });
  };
  await Promise.all([copy(user, device).catch(fail), copy(device, user).catch(fail)]);
}

async function copy(from: TunnelStream, to: TunnelStream): Promise<void> {
  for await (const part of from) if (!to.write(part)) await to.writable();
  to.end();
}
