import { createContextValues, type ServiceImpl } from '@connectrpc/connect';
import { closeError, CloseCode, type TunnelStream } from '@tapline/tunnel';
import { refuseStale } from './call-epoch.ts';
import { type CallingDevice, callingDevice } from './calling-device.ts';
import { createCallServer } from './create-call-server.ts';
import { GatewayService } from './generated/tapline/gateway/v1/gateway_pb.ts';
import { maxDirectiveBytes } from './max-call-message-bytes.ts';

/** A gateway as a server of its devices' calls. */
export interface GatewayCallServer {
  /** Serves one until it ends; never rejects. */
  serve(stream: TunnelStream, device: CallingDevice): Promise<void>;
}

/** A device needs two: one follows, the other reports, a few at once. */
const maxCallsPerTunnel = 16;

/** Serves devices' calls, but those of a session that is not the device's newest. */
export function createGatewayCallServer(
  service: ServiceImpl<typeof GatewayService>,
): GatewayCallServer {
  const open = new WeakMap<CallingDevice, number>();
  const calls = createCallServer((router) => router.service(GatewayService, service), {
    interceptors: [refuseStale((values) => values.get(callingDevice))],
    writeMaxBytes: maxDirectiveBytes,
  });
  return {
    async serve(stream, device) {
      const before = open.get(device) ?? 0;
      if (before >= maxCallsPerTunnel) {
        const { message } = closeError(
          CloseCode.TooManyStreams,
          `${device.name} has ${before} calls, the most is ${maxCallsPerTunnel}`,
        );
        return stream.reset(CloseCode.TooManyStreams, message);
      }
      open.set(device, before + 1);
      try {
        await calls.serve(stream, createContextValues().set(callingDevice, device));
      } finally {
        open.set(device, (open.get(device) ?? 1) - 1);
      }
    },
  };
}
