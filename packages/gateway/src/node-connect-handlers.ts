import type { ServerResponse } from 'node:http';
import { TaplineError } from '@tapline/base';
import type { InstallConnect, InstallConnectHandler } from './install-connect-handlers.ts';
import { decodeOutcome } from './exec-outcome.ts';
import type { SessionHub } from './session-hub.ts';
import { decodeFrame } from './stream-frame.ts';

/** A hundred thousand entries have that. */
const maxStateBytes = 256 * 1024 * 1024;

/** Serves `nodes/state`: what a node's kernel has at this moment, asked of its agent by a stream. */
export function createNodeConnectHandlers(init: {
  readonly hub: Pick<SessionHub, 'openStream'>;
}): Readonly<Record<'nodes/state', InstallConnectHandler>> {
  async function state(
    { object, signal }: InstallConnect,
    response: ServerResponse,
  ): Promise<void> {
    const { name } = object.metadata;
    const stream = await init.hub.openStream(name, { kind: 'node-state', node: name }, { signal });
    const onAbort = (): void => stream.close(1001, 'the reader went away');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      let ended = false;
      for await (const message of stream.messages) {
        const frame = decodeFrame(message);
        if (frame.kind === 'error') {
          const outcome = decodeOutcome(frame.bytes);
          if (outcome.kind === 'failed') throw new TaplineError(outcome.code, outcome.message);
          ended = true;
          break;
        }
        if (frame.kind !== 'stdout') continue;
        bytes += frame.bytes.length;
        if (bytes > maxStateBytes) {
          throw new TaplineError(
            'node_state_too_large',
            `the state of node ${name} exceeds ${maxStateBytes} bytes`,
          );
        }
        chunks.push(frame.bytes);
      }
      if (!ended) throw new TaplineError('device_offline', `node ${name} went away`);
      // Whole or not at all: half a state would be a proof of nothing.
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': bytes,
        'cache-control': 'no-store',
      });
      response.end(Buffer.concat(chunks));
    } finally {
      signal.removeEventListener('abort', onAbort);
      stream.close();
    }
  }
  return { 'nodes/state': { verb: 'get', handle: state } };
}
