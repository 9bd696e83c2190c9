import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { silentLog, TaplineError } from '@tapline/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { decodeOutcome } from './exec-outcome.ts';
import { createInstallConnectHandlers } from './install-connect-handlers.ts';
import type { ExecResponseSchema } from './rpc/generated/tapline/device/v1/device_pb.ts';
import { decodeFrame, encodeFrame, streamProtocol } from './stream-frame.ts';
import { startTestHub, type TestHub, until } from './testing/start-test-hub.ts';

let gateway: TestHub;
beforeEach(async () => {
  gateway = await startTestHub();
});
afterEach(() => gateway[Symbol.asyncDispose]());

describe('a user', () => {
  const install = {
    metadata: { name: 'd1.jq', uid: 'u1' },
    spec: { device: 'd1' },
  };
  let api: ReturnType<typeof createHttpServer>;
  let apiUrl: string;

  beforeEach(async () => {
    const handlers = createInstallConnectHandlers({ hub: gateway.hub, log: silentLog });
    api = createHttpServer((request, response) => {
      const query = new URL(request.url ?? '/', 'http://api').searchParams;
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      handlers['installs/log']
        .handle?.({ object: install, query, request, signal: gone.signal }, response)
        .catch((error: unknown) => {
          response.statusCode = 500;
          response.end(error instanceof TaplineError ? error.code : String(error));
        });
    });
    api.on('upgrade', (request, socket, head) => {
      const query = new URL(request.url ?? '/', 'http://api').searchParams;
      const { signal } = new AbortController();
      handlers['installs/exec']
        .upgrade?.({ object: install, query, request, signal }, socket, head)
        .catch((error: unknown) =>
          socket.end(
            `HTTP/1.1 503 No\r\nx-code: ${error instanceof TaplineError ? error.code : String(error)}\r\n\r\n`,
          ),
        );
    });
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    apiUrl = `127.0.0.1:${(api.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    api.closeAllConnections();
    api.close();
  });

  test('runs a program with its input, its output and its exit code', async () => {
    const starts: unknown[] = [];
    const exited: MessageInitShape<typeof ExecResponseSchema> = {
      output: { case: 'outcome', value: { outcome: { case: 'exitCode', value: 5 } } },
    };
    const session = gateway.connect(await gateway.enrolled('d1'), {
      service: {
        async *exec(inputs) {
          const input: Uint8Array[] = [];
          for await (const message of inputs) {
            if (message.input.case === 'start') {
              const { install: of, command, stdin } = message.input.value;
              starts.push([of?.name, of?.uid, command, stdin]);
              yield { output: { case: 'accepted', value: {} } };
            } else if (message.input.case === 'stdin') input.push(message.input.value);
          }
          yield { output: { case: 'stdout', value: Buffer.concat(input) } };
          yield { output: { case: 'stderr', value: Buffer.from('careful') } };
          yield exited;
        },
      },
    });
    await until(() => expect(session.epoch).toBe(1));
    const query = 'command=jq&command=.a&stdin=true';
    const user = new WebSocket(`ws://${apiUrl}/exec?${query}`, streamProtocol);
    const frames: string[] = [];
    user.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      if (frame.kind === 'error') {
        frames.push(`error ${JSON.stringify(decodeOutcome(frame.bytes))}`);
      } else if (frame.kind !== 'close' && frame.bytes.length > 0) {
        frames.push(`${frame.kind} ${Buffer.from(frame.bytes).toString()}`);
      }
    });
    await once(user, 'open');
    user.send(encodeFrame({ kind: 'stdin', bytes: Buffer.from('{"a"') }));
    user.send(encodeFrame({ kind: 'stdin', bytes: Buffer.from(':1}') }));
    user.send(encodeFrame({ kind: 'close', channel: 0 }));
    await once(user, 'close');
    expect(starts).toEqual([['d1.jq', 'u1', ['jq', '.a'], true]]);
    expect(frames).toEqual([
      'stdout {"a":1}',
      'stderr careful',
      'error {"kind":"exited","exitCode":5}',
    ]);
  });

  test('hears before the connection stands that the device is offline', async () => {
    const user = new WebSocket(`ws://${apiUrl}/exec?command=true`, streamProtocol);
    const [, response] = (await once(user, 'unexpected-response')) as [
      unknown,
      { headers: Record<string, string> },
    ];
    expect(response.headers['x-code']).toBe('device_offline');
    user.on('error', () => undefined);
    user.terminate();
  });

  test('hears of it when the device goes away in the middle', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'), {
      service: {
        async *exec(_inputs, { signal }) {
          yield { output: { case: 'accepted', value: {} } };
          yield { output: { case: 'stdout', value: Buffer.from('begun') } };
          await once(signal, 'abort');
        },
      },
    });
    await until(() => expect(session.epoch).toBe(1));
    const user = new WebSocket(`ws://${apiUrl}/exec?command=true`, streamProtocol);
    const outcomes: unknown[] = [];
    user.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      if (frame.kind === 'error') outcomes.push(decodeOutcome(frame.bytes));
      else if (frame.kind === 'stdout' && frame.bytes.length > 0) {
        void session[Symbol.asyncDispose]();
      }
    });
    await once(user, 'close');
    expect(outcomes).toEqual([
      { kind: 'failed', code: 'device_offline', message: 'the device went away' },
    ]);
  });

  test('reads logs as they come', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'), {
      service: {
        async *logs({ tailLines }) {
          yield await Promise.resolve({});
          yield { output: Buffer.from(`tail ${tailLines}\n`) };
          yield { output: Buffer.from('more\n') };
        },
      },
    });
    await until(() => expect(session.epoch).toBe(1));
    const response = await fetch(`http://${apiUrl}/log?tailLines=7`);
    expect(await response.text()).toBe('tail 7\nmore\n');
    const wrong = await fetch(`http://${apiUrl}/log?tailLines=-1`);
    expect(await wrong.text()).toBe('bad_request');
  });
});
