import { type Client, createClient } from '@connectrpc/connect';
import { sayEpoch } from './call-epoch.ts';
import { createCallTransport, type OpenCall } from './create-call-transport.ts';
import { GatewayService } from './generated/tapline/gateway/v1/gateway_pb.ts';
import { maxDirectiveBytes } from './max-call-message-bytes.ts';

/** What a device asks of its gateway. */
export type GatewayCalls = Client<typeof GatewayService>;

/** Calls to the gateway at the other end of a device's tunnel; they wait until it has said the epoch. */
export function createGatewayCalls(init: {
  readonly open: OpenCall;
  readonly epoch: () => Promise<number>;
}): GatewayCalls {
  const transport = createCallTransport(init.open, {
    interceptors: [sayEpoch(init.epoch)],
    readMaxBytes: maxDirectiveBytes,
  });
  return createClient(GatewayService, transport);
}
