import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog, systemClock } from '@tapline/base';
import { createHttpTransport } from '@tapline/registry';
import {
  compressSnappy,
  decompressSnappy,
  encodeWriteRequest,
  type Series,
} from '@tapline/telemetry';
import { afterEach, expect, test } from 'vitest';
import { createRemoteWriteRelay, type RemoteWriteRelay } from './remote-write-relay.ts';

/** A Prometheus that answers as it is told, and keeps what it was sent. */
let server: Server | undefined;
let opened = new AsyncDisposableStack();

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
  server?.closeAllConnections();
  server?.close();
});

async function startRelay(
  answer: (body: Uint8Array) => number,
  seriesPerDevice = 100,
): Promise<{ readonly relay: RemoteWriteRelay; readonly got: readonly Uint8Array[] }> {
  const got: Uint8Array[] = [];
  server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = decompressSnappy(Buffer.concat(chunks), { maxBytes: 1 << 20 });
      const status = answer(body);
      if (status < 300) got.push(body);
      response.writeHead(status).end('said so');
    })();
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const transport = opened.use(createHttpTransport());
  const relay = opened.use(
    createRemoteWriteRelay({
      configuration: { url: `http://127.0.0.1:${port}/api/v1/write`, seriesPerDevice },
      transport,
      metrics: { request() {}, samples() {}, spans() {}, source() {} },
      clock: systemClock,
      log: silentLog,
    }),
  );
  return { relay, got };
}

function requestOf(device: string, labels: Readonly<Record<string, string>> = {}): Uint8Array {
  const identity = { instance: device, job: 'tapline-agents' };
  const series: Series = {
    labels: { __name__: 'tapline_restarts_total', ...identity, ...labels },
    value: 1,
    atMs: Date.now(),
  };
  return compressSnappy(encodeWriteRequest([series]));
}

test('what several devices send at once is one request', async () => {
  const { relay, got } = await startRelay(() => 204);
  await Promise.all(['a', 'b', 'c'].map((device) => relay.write(device, requestOf(device))));
  expect(got).toHaveLength(1);
  const text = Buffer.from(got[0] ?? []).toString('latin1');
  for (const device of ['a', 'b', 'c']) expect(text).toContain(`instance\u0012\u0001${device}`);
});

test('a device speaks for itself and for nobody else', async () => {
  const { relay, got } = await startRelay(() => 204);
  await expect(relay.write('a', requestOf('b'))).rejects.toMatchObject({
    code: 'remote_write_refused',
  });
  await expect(relay.write('a', Buffer.from('no snappy'))).rejects.toThrow('not a block of Snappy');
  expect(got).toEqual([]);
});

test('one whose request is not taken does not take the others with it', async () => {
  const { relay, got } = await startRelay((bytes) =>
    Buffer.from(bytes).includes('poison') ? 400 : 204,
  );
  const devices = ['a', 'b', 'c'];
  await Promise.all(
    devices.map((device) =>
      relay.write(device, requestOf(device, device === 'b' ? { stage: 'poison' } : {})),
    ),
  );
  expect(got).toHaveLength(2);
});

test('while the Prometheus is away devices are told to come again', async () => {
  const { relay } = await startRelay(() => 503);
  await expect(relay.write('a', requestOf('a'))).rejects.toMatchObject({ code: 'unavailable' });
});

test('ever new values of a label are refused, request by request', async () => {
  const { relay, got } = await startRelay(() => 204, 2);
  await relay.write('a', requestOf('a', { stage: '1' }));
  await relay.write('a', requestOf('a', { stage: '2' }));
  await expect(relay.write('a', requestOf('a', { stage: '3' }))).rejects.toThrow(
    'a has sent more than 2 different series',
  );
  await relay.write('b', requestOf('b', { stage: '3' }));
  expect(got).toHaveLength(3);
});
