import type { ServerResponse } from 'node:http';
import { type Clock, isTaplineError } from '@tapline/base';
import type { InstallConnect, InstallConnectHandler } from './install-connect-handlers.ts';
import type { SessionHub } from './session-hub.ts';

/** No Install has this name: what a device answers of it is that there is none. */
const nobody = { name: '', uid: '' };

/**
 * Serves `devices/ping`: a call that the device itself has to answer, so the whole way to it is proven
 * and measured. Errors are those of a call, as `device_offline`.
 */
export function createPingConnectHandlers(init: {
  readonly hub: Pick<SessionHub, 'call'>;
  readonly clock: Clock;
}): Readonly<Record<'devices/ping', InstallConnectHandler>> {
  async function ping({ object, signal }: InstallConnect, response: ServerResponse): Promise<void> {
    const device = object.metadata.name;
    const fromMs = init.clock.monotonic();
    try {
      const wanted = { install: nobody, follow: false };
      const call = await init.hub.call(device, (calls, options) => calls.logs(wanted, options), {
        signal,
      });
      call.cancel();
    } catch (error) {
      // Its refusal is its answer.
      if (!isTaplineError(error, 'stream_refused')) throw error;
    }
    const roundTripMs = Math.round((init.clock.monotonic() - fromMs) * 100) / 100;
    const body = JSON.stringify({ device, roundTripMs });
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(`${body}\n`);
  }
  return { 'devices/ping': { verb: 'get', handle: ping } };
}
