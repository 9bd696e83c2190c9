import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Log, TaplineError } from '@tapline/base';
import type { ObjectMeta } from '@tapline/resources';
import { WebSocketServer } from 'ws';
import { execInput, relayExec } from './relay-exec.ts';
import type { BegunCall } from './rpc/begin-call.ts';
import type { LogsResponse } from './rpc/generated/tapline/device/v1/device_pb.ts';
import type { SessionHub } from './session-hub.ts';
import { maxFrameBytes, streamProtocol } from './stream-frame.ts';
import { createStreamSocket, type StreamSocket } from './stream-socket.ts';

/** What an API server hands over: authenticated, authorised, and about this Install. */
export interface InstallConnect {
  readonly object: { readonly metadata: ObjectMeta };
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly signal: AbortSignal;
}

export interface InstallConnectHandler {
  readonly verb: 'get' | 'create';
  readonly handle?: (connect: InstallConnect, response: ServerResponse) => Promise<void>;
  readonly upgrade?: (connect: InstallConnect, socket: Duplex, head: Buffer) => Promise<void>;
}

/**
 * Serves `installs/exec` and `installs/log` in Kubernetes's forms, by calls to the device.
 * What goes wrong before the first byte is thrown, for the API server to answer.
 */
export function createInstallConnectHandlers(init: {
  readonly hub: Pick<SessionHub, 'call'>;
  readonly log: Log;
}): Readonly<Record<'installs/exec' | 'installs/log', InstallConnectHandler>> {
  const { hub, log } = init;
  const users = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    handleProtocols: () => streamProtocol,
  });

  async function exec(connect: InstallConnect, socket: Duplex, head: Buffer): Promise<void> {
    const { request, query, signal } = connect;
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    if (!offered.includes(streamProtocol)) {
      throw new TaplineError('bad_request', `exec speaks ${streamProtocol} only`);
    }
    const command = query.getAll('command');
    if (command.length === 0) throw new TaplineError('bad_request', 'no command was given');
    const { device, install } = target(connect);
    const stdin = query.get('stdin') === 'true';
    const user = Promise.withResolvers<StreamSocket>();
    const input = execInput({ install, command, stdin }, user.promise);
    const call = await hub.call(device, (calls, options) => calls.exec(input, options), { signal });
    users.handleUpgrade(request, socket, head, (opened) => {
      const stream = createStreamSocket(opened);
      user.resolve(stream);
      void relayExec(stream, call).catch((error: unknown) =>
        log.error('exec relay failed', { install: install.name, error }),
      );
    });
  }

  async function logs(connect: InstallConnect, response: ServerResponse): Promise<void> {
    const { query, signal } = connect;
    const { device, install } = target(connect);
    const tailLines = parseTailLines(query.get('tailLines'));
    const wanted = {
      install,
      follow: query.get('follow') === 'true',
      ...(tailLines === undefined ? {} : { tailLines }),
    };
    const call = await hub.call(device, (calls, options) => calls.logs(wanted, options), {
      signal,
    });
    try {
      await copyLogs(call, response, signal);
    } finally {
      call.cancel();
    }
  }

  return {
    'installs/exec': { verb: 'create', upgrade: exec },
    'installs/log': { verb: 'get', handle: logs },
  };
}

function target({ object }: InstallConnect): {
  readonly device: string;
  readonly install: { readonly name: string; readonly uid: string };
} {
  const { spec } = object as { readonly spec?: { readonly device?: unknown } };
  const { name, uid } = object.metadata;
  if (typeof spec?.device !== 'string' || uid === undefined) {
    throw new TaplineError('bad_request', `${name} is not an Install`);
  }
  return { device: spec.device, install: { name, uid } };
}

function parseTailLines(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TaplineError('bad_request', `tailLines ${text.slice(0, 20)} is not a count`);
}

async function copyLogs(
  { first, rest }: BegunCall<LogsResponse>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  // A reader that follows knows from the headers that it stands.
  response.flushHeaders();
  response.write(first.output);
  try {
    for await (const { output } of rest) {
      if (!response.write(output)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    // The status line is out: a broken body is the only way left to say that lines are missing.
    response.destroy(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  response.end();
}
