import { type Clock, type Log, TaplineError } from '@tapline/base';
import {
  createFileConnectHandlers,
  createForwardGateway,
  createInstallConnectHandlers,
  createNodeConnectHandlers,
  createPingConnectHandlers,
  type ForwardGateway,
  type SessionHub,
} from '@tapline/gateway';
import type { ApiServerInit } from '@tapline/apiserver';

/** What goes from the API into the tunnels of devices. */
export interface DeviceStreams {
  /** The hub, or the error `unavailable` until there is one. */
  readonly hub: Pick<SessionHub, 'call' | 'openInTunnel'>;
  readonly forwards: ForwardGateway;
  /** Logs, exec, files, pings and forwards, as subresources. */
  readonly handlers: NonNullable<ApiServerInit['connectHandlers']>;
}

/** The API is there before the hub, which is a client of the API itself. */
export function createDeviceStreams(init: {
  readonly hub: () => SessionHub | undefined;
  readonly clock: Clock;
  readonly log: Log;
}): DeviceStreams {
  const { clock, log } = init;
  const now = (): SessionHub => {
    const hub = init.hub();
    if (hub === undefined) {
      throw new TaplineError('unavailable', 'the gateway is starting', { hint: 'try again' });
    }
    return hub;
  };
  const hub: DeviceStreams['hub'] = {
    call: async (device, start, options) => await now().call(device, start, options),
    openInTunnel: (device, options) => now().openInTunnel(device, options),
  };
  const forwards = createForwardGateway({ openStream: hub.openInTunnel, clock, log });
  const handlers = {
    ...createInstallConnectHandlers({ hub, log }),
    ...createNodeConnectHandlers({ hub }),
    ...createPingConnectHandlers({ hub, clock }),
    ...createFileConnectHandlers({ hub }),
    ...forwards.handlers,
  };
  return { hub, forwards, handlers };
}
