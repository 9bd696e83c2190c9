import type { ServiceImpl } from '@connectrpc/connect';
import { refuseStale } from './call-epoch.ts';
import { type CallServer, createCallServer } from './create-call-server.ts';
import { DeviceService } from './generated/tapline/device/v1/device_pb.ts';

/** Serves a device's calls, but those of an epoch before its newest. */
export function createDeviceCallServer(
  service: Partial<ServiceImpl<typeof DeviceService>>,
  newestEpoch: () => number,
): CallServer {
  return createCallServer((router) => router.service(DeviceService, service), {
    // A device has one tunnel, and what comes in an older one is of an older epoch.
    interceptors: [refuseStale(() => ({ leastEpoch: newestEpoch, isNewest: () => true }))],
  });
}
