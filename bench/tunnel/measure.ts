import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../quantile.ts';
import type { BenchClient, BenchStream, StreamUse } from './bench-mux.ts';
import { duplexStream } from './duplex-stream.ts';
import { loadMux } from './load-mux.ts';

/**
 * `node measure.ts MODE MUX HOST PORT SECONDS`: the end that receives, and prints what it measured as
 * JSON. Modes are `latency` (pings beside blobs), `bulk` and `messages`.
 */
const [mode = '', name = '', host = '', port = '', seconds = ''] = process.argv.slice(2);
const measureMs = Number(seconds) * 1000;
const warmUpMs = 3000;
const pingBytes = 32;
const pingEveryMs = 10;
const messagesInFlight = 4000;

async function open(): Promise<BenchClient> {
  if (name === 'plain') {
    return {
      async open(use) {
        const at = (['echo', 'bulk', 'sink'] as const).indexOf(use);
        const socket = connectTcp({ port: Number(port) + at, host, noDelay: true });
        await once(socket, 'connect');
        return duplexStream(socket);
      },
    };
  }
  const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  return await (await loadMux(name)).connect(socket);
}

async function opened(client: BenchClient, use: StreamUse): Promise<BenchStream> {
  const stream = await client.open(use);
  // Streams that are opened by what is first written: a peer may see no other sign of them.
  stream.write(Buffer.alloc(pingBytes));
  return stream;
}

/** Pings every 10 ms on one stream while another one is as full as it gets. */
async function latency(): Promise<unknown> {
  const client = await open();
  const control = await opened(client, 'echo');
  const sent: number[] = [performance.now()];
  const trips: number[] = [];
  let isMeasuring = false;
  let pending = 0;
  control.onData((bytes) => {
    for (pending += bytes.length; pending >= pingBytes; pending -= pingBytes) {
      const from = sent.shift() ?? 0;
      if (isMeasuring) trips.push(performance.now() - from);
    }
  });
  const blobs = await opened(client, 'bulk');
  let received = 0;
  blobs.onData((bytes) => (received += bytes.length));
  const ping = setInterval(() => {
    sent.push(performance.now());
    control.write(Buffer.alloc(pingBytes));
  }, pingEveryMs);
  await delay(warmUpMs);
  isMeasuring = true;
  const before = received;
  const from = performance.now();
  await delay(measureMs);
  const ms = performance.now() - from;
  isMeasuring = false;
  clearInterval(ping);
  // Those that have not come back yet have taken at least so long.
  const late = sent.map((one) => performance.now() - one);
  const all = [...trips, ...late];
  return {
    p50: quantile(all, 0.5),
    p99: quantile(all, 0.99),
    pings: all.length,
    megabits: ((received - before) * 8) / ms / 1000,
  };
}

async function bulk(): Promise<unknown> {
  const stream = await opened(await open(), 'bulk');
  let received = 0;
  stream.onData((bytes) => (received += bytes.length));
  await delay(1000);
  const before = received;
  const from = performance.now();
  await delay(measureMs);
  return { megabits: ((received - before) * 8) / (performance.now() - from) / 1000 };
}

/** Messages of 32 bytes, each a write of its own, echoed; by the CPU time of this end. */
async function messages(): Promise<unknown> {
  const stream = await opened(await open(), 'echo');
  let back = 0;
  let sent = 1;
  let bytesBack = 0;
  const more = (): void => {
    while (sent - back < messagesInFlight) {
      stream.write(Buffer.alloc(pingBytes, sent));
      sent += 1;
    }
  };
  stream.onData((bytes) => {
    bytesBack += bytes.length;
    back = Math.floor(bytesBack / pingBytes);
    if (sent - back < messagesInFlight / 2) more();
  });
  more();
  await delay(1000);
  const before = back;
  const cpu = process.cpuUsage();
  const from = performance.now();
  await delay(measureMs);
  const used = process.cpuUsage(cpu);
  const ms = performance.now() - from;
  const cpuSeconds = (used.user + used.system) / 1e6;
  return {
    perSecond: (back - before) / (ms / 1000),
    perCpuSecond: (back - before) / cpuSeconds,
  };
}

const result = await { latency, bulk, messages }[mode as 'latency']();
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
