import type { ServerResponse } from 'node:http';
import { TaplineError } from '@tapline/base';
import type { InstallConnect, InstallConnectHandler } from './install-connect-handlers.ts';
import type { SessionHub } from './session-hub.ts';

/** A hundred thousand entries have that. */
const maxStateBytes = 256 * 1024 * 1024;

/** Serves `nodes/state`: what a node's kernel has at this moment, asked of its agent. */
export function createNodeConnectHandlers(init: {
  readonly hub: Pick<SessionHub, 'call'>;
}): Readonly<Record<'nodes/state', InstallConnectHandler>> {
  async function state(
    { object, signal }: InstallConnect,
    response: ServerResponse,
  ): Promise<void> {
    const { name } = object.metadata;
    const call = await init.hub.call(
      name,
      (device, options) => device.observeNode({ node: name }, options),
      { signal },
    );
    try {
      const chunks: Uint8Array[] = [call.first.json];
      let bytes = call.first.json.length;
      for await (const { json } of call.rest) {
        bytes += json.length;
        if (bytes > maxStateBytes) {
          throw new TaplineError(
            'node_state_too_large',
            `the state of node ${name} exceeds ${maxStateBytes} bytes`,
          );
        }
        chunks.push(json);
      }
      // Whole or not at all: half a state would be a proof of nothing.
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': bytes,
        'cache-control': 'no-store',
      });
      response.end(Buffer.concat(chunks));
    } finally {
      call.cancel();
    }
  }
  return { 'nodes/state': { verb: 'get', handle: state } };
}
