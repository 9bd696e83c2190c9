import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { ObjectMeta } from '@tapline/resources';
import { WebSocketServer } from 'ws';
import { decodeOutcome, encodeOutcome } from './exec-outcome.ts';
import type { SessionHub } from './session-hub.ts';
import {
  channels,
  decodeFrame,
  encodeFrame,
  maxFrameBytes,
  streamProtocol,
} from './stream-frame.ts';
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
 * Serves `installs/exec` and `installs/log` in Kubernetes's forms, by a stream to the device.
 * What goes wrong before the first byte is thrown, for the API server to answer.
 */
export function createInstallConnectHandlers(init: {
  readonly hub: Pick<SessionHub, 'openStream'>;
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
    const { device, install, uid } = target(connect);
    const stdin = query.get('stdin') === 'true';
    const stream = await hub.openStream(
      device,
      { kind: 'exec', install, uid, command, stdin },
      { signal },
    );
    users.handleUpgrade(request, socket, head, (opened) => {
      const user = createStreamSocket(opened);
      void relay(user, stream).catch((error: unknown) =>
        log.error('exec relay failed', { install, error }),
      );
    });
  }

  async function logs(connect: InstallConnect, response: ServerResponse): Promise<void> {
    const { query, signal } = connect;
    const { device, install, uid } = target(connect);
    const tailLines = parseTailLines(query.get('tailLines'));
    const stream = await hub.openStream(
      device,
      {
        kind: 'logs',
        install,
        uid,
        follow: query.get('follow') === 'true',
        ...(tailLines === undefined ? {} : { tailLines }),
      },
      { signal },
    );
    const onAbort = (): void => stream.close(1001, 'the reader went away');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await copyLogs(stream, response, signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      stream.close();
    }
  }

  return {
    'installs/exec': { verb: 'create', upgrade: exec },
    'installs/log': { verb: 'get', handle: logs },
  };
}

function target({ object }: InstallConnect): {
  readonly device: string;
  readonly install: string;
  readonly uid: string;
} {
  const { spec } = object as { readonly spec?: { readonly device?: unknown } };
  const { name, uid } = object.metadata;
  if (typeof spec?.device !== 'string' || uid === undefined) {
    throw new TaplineError('bad_request', `${name} is not an Install`);
  }
  return { device: spec.device, install: name, uid };
}

function parseTailLines(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TaplineError('bad_request', `tailLines ${text.slice(0, 20)} is not a count`);
}

const fromUser = new Set<number>([channels.stdin, channels.resize, channels.close]);
const fromDevice = new Set<number>([channels.stdout, channels.stderr, channels.error]);

/** Copies both ways until one end closes; neither may speak on the other's channels. */
async function relay(user: StreamSocket, device: StreamSocket): Promise<void> {
  async function upstream(): Promise<void> {
    for await (const message of user.messages) {
      if (fromUser.has(message[0] ?? -1)) await device.send(message);
    }
  }
  async function downstream(): Promise<void> {
    let ended = false;
    // Kubernetes opens with an empty message, so that a client knows the stream stands.
    await user.send(encodeFrame({ kind: 'stdout', bytes: new Uint8Array() }));
    for await (const message of device.messages) {
      if (!fromDevice.has(message[0] ?? -1)) continue;
      ended ||= message[0] === channels.error;
      await user.send(message);
    }
    if (ended) return;
    const lost = {
      kind: 'failed',
      code: 'device_offline',
      message: 'the device went away',
    } as const;
    await user.send(encodeFrame({ kind: 'error', bytes: encodeOutcome(lost) }));
  }
  await Promise.all([
    ignoreClosed(upstream()).finally(() => device.close()),
    ignoreClosed(downstream()).finally(() => user.close()),
  ]);
}

/** That the other end closed first is how every stream ends. */
async function ignoreClosed(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isTaplineError(error, 'stream_closed')) throw error;
  }
}

async function copyLogs(
  stream: StreamSocket,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  for await (const message of stream.messages) {
    const frame = decodeFrame(message);
    if (frame.kind === 'error') {
      const outcome = decodeOutcome(frame.bytes);
      if (outcome.kind === 'exited') break;
      if (!response.headersSent) throw new TaplineError(outcome.code, outcome.message);
      // The status line is out: a broken body is the only way left to say that lines are missing.
      response.destroy(new TaplineError(outcome.code, outcome.message));
      return;
    }
    if (frame.kind === 'stdout' && frame.bytes.length === 0) response.flushHeaders();
    else if (frame.kind === 'stdout' && !response.write(frame.bytes)) {
      await once(response, 'drain', { signal });
    }
  }
  response.end();
}
