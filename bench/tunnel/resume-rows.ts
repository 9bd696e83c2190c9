import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { systemClock } from '@tapline/base';
import { carryOnSocket, createCertificateAuthority } from '@tapline/gateway';
import { temporaryFolder } from '@tapline/testing';
import {
  BufferPool,
  defaultLimits,
  Session,
  TunnelServer,
  type TunnelStream,
} from '@tapline/tunnel';
import { quantile } from '../quantile.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const blockBytes = 65_536;
const blocks = 16_384;
const cuts = 50;

/** One GiB through connections that are cut fifty times; each block says which one it is. */
export async function resumeRows(): Promise<readonly BenchmarkRow[]> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const authority = await createCertificateAuthority({
    directory: folder.path,
    clock: systemClock,
  });
  const { certificatePem: cert, privateKeyPem: key } = authority.issueServer({ hosts: [] });
  const pool = new BufferPool();
  let sender: Session | undefined;
  const tunnels = new TunnelServer({
    clock: systemClock,
    limits: defaultLimits,
    pool,
    newToken: () => randomBytes(32),
    onSession(session) {
      sender = session;
      session.onStream((stream) => void sendBlocks(stream));
    },
  });
  const server = createServer({ cert, key, minVersion: 'TLSv1.3' }, (socket) => {
    void carryOnSocket(socket, {
      begin: (transport) => tunnels.accept(transport, 'bench'),
      clock: systemClock,
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const session = new Session({ role: 'client', clock: systemClock, limits: defaultLimits, pool });
  const state = { connectedMs: 0, isWaiting: false };
  const firstByteMs: number[] = [];
  const ready = new Promise<void>((resolve) => session.onConnection(() => resolve()));
  let socket = await dial();
  await ready;

  async function dial(): Promise<TLSSocket> {
    const dialled = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(dialled, 'secureConnect');
    state.connectedMs = performance.now();
    void carryOnSocket(dialled, {
      begin: (transport) => session.connect(transport),
      clock: systemClock,
    });
    return dialled;
  }

  const stream = session.open({ class: 'bulk', name: 'bulk' });
  let received = 0;
  let cut = 0;
  for await (const bytes of stream) {
    if (state.isWaiting) {
      firstByteMs.push(performance.now() - state.connectedMs);
      state.isWaiting = false;
    }
    verify(bytes, received);
    received += bytes.length;
    if (cut < cuts && received > ((cut + 1) * blocks * blockBytes) / (cuts + 1)) {
      cut += 1;
      socket.destroy();
      socket = await dial();
      state.isWaiting = true;
    }
  }
  if (received !== blocks * blockBytes || cut !== cuts) {
    throw new Error(`${received} bytes arrived, with ${cut} cuts`);
  }
  const { resentBytes = Number.NaN } = sender?.stats() ?? {};
  session.close();
  socket.destroy();
  server.close();
  return [
    benchmarkRow({
      metric: '1 GiB with 50 cuts: sent twice',
      unit: '%',
      better: 'lower',
      ours: Math.round((resentBytes / received) * 1e5) / 1000,
      peers: {},
      goal: 1,
      goalOn: 'ours',
      note: 'arrived whole; the peers of this benchmark begin again after a cut',
    }),
    benchmarkRow({
      metric: 'first byte after a cut, from TLS of the new connection on',
      unit: 'ms',
      better: 'lower',
      ours: Math.round(quantile(firstByteMs, 0.5) * 100) / 100,
      peers: {},
      goal: 5,
      goalOn: 'ours',
      note: `median of 50 on loopback, where a round trip takes no time; the slowest ${quantile(firstByteMs, 1).toFixed(1)} ms`,
    }),
  ];
}

async function sendBlocks(stream: TunnelStream): Promise<void> {
  for (let at = 0; at < blocks; at += 1) {
    if (!stream.write(blockOf(at))) await stream.writable();
  }
  stream.end();
}

const pattern = Array.from({ length: 251 }, (_, value) => Buffer.alloc(blockBytes, value));

function blockOf(at: number): Buffer {
  return pattern[at % pattern.length] ?? Buffer.alloc(0);
}

function verify(bytes: Uint8Array, at: number): void {
  for (let taken = 0; taken < bytes.length;) {
    const block = Math.floor((at + taken) / blockBytes);
    const offset = (at + taken) % blockBytes;
    const length = Math.min(blockBytes - offset, bytes.length - taken);
    const expected = blockOf(block).subarray(offset, offset + length);
    if (expected.compare(bytes, taken, taken + length) !== 0) {
      throw new Error(`what arrived at ${at + taken} is not what was sent`);
    }
    taken += length;
  }
}
