import { type Client, createClient } from '@connectrpc/connect';
import { closeError, CloseCode, type StreamClass, type TunnelSession } from '@tapline/tunnel';
import { callStream } from './call-head.ts';
import { sayEpoch } from './call-epoch.ts';
import { createCallTransport, type OpenCall } from './create-call-transport.ts';
import { DeviceService } from './generated/tapline/device/v1/device_pb.ts';

/** What a gateway asks of a device. */
export type DeviceCalls = Client<typeof DeviceService>;

const maxCallsPerDevice = 64;

/** Somebody waits for a line of output; the rest has time. */
const interactive = new Set(
  [DeviceService.method.exec, DeviceService.method.logs].map(
    ({ name }) => `/${DeviceService.typeName}/${name}`,
  ),
);

/** Calls to a device in its tunnel; beyond 64 at once they fail with `too_many_streams`. */
export function createDeviceCalls(
  device: string,
  init: { readonly tunnel: Pick<TunnelSession, 'open'>; readonly epoch: () => number },
): DeviceCalls {
  let open = 0;
  const openCall: OpenCall = (path, header) => {
    if (open >= maxCallsPerDevice) {
      throw closeError(
        CloseCode.TooManyStreams,
        `device ${device} has ${open} calls, the most is ${maxCallsPerDevice}`,
      );
    }
    const streamClass: StreamClass = interactive.has(path) ? 'interactive' : 'bulk';
    const stream = init.tunnel.open({ class: streamClass, name: callStream, header });
    open += 1;
    stream.closed.addEventListener('abort', () => (open -= 1), { once: true });
    return stream;
  };
  const transport = createCallTransport(openCall, { interceptors: [sayEpoch(init.epoch)] });
  return createClient(DeviceService, transport);
}
