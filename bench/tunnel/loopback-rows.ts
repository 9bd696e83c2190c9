import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import { runEnds } from './run-ends.ts';

const here = { client: undefined, server: undefined, serverAddress: '127.0.0.1' };
const rounds = 3;
const seconds = 3;

/** Without a path between the ends: what the multiplexers themselves cost. */
export async function loopbackRows(): Promise<readonly BenchmarkRow[]> {
  const names = ['tapline', 'raw TLS', 'node:http2', 'yamux'] as const;
  const bulk = new Map<string, number>();
  const messages = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    // In turn, as the machine is not always equally busy.
    for (const name of names) {
      const { megabits = 0 } = await runEnds('bulk', name, { ...here, seconds });
      bulk.set(name, Math.max(bulk.get(name) ?? 0, Math.round(megabits)));
      const { perCpuSecond = 0 } = await runEnds('messages', name, { ...here, seconds });
      messages.set(name, Math.max(messages.get(name) ?? 0, Math.round(perCpuSecond)));
    }
  }
  const note = `best of ${rounds} of ${seconds} s, in turn`;
  return [
    benchmarkRow({
      metric: 'blobs on loopback',
      unit: 'Mbit/s',
      better: 'higher',
      ours: bulk.get('tapline') ?? 0,
      peers: { 'raw TLS': bulk.get('raw TLS') },
      goal: 0.8,
      goalOn: 'ratio',
      note: `${note}; node:http2 has ${bulk.get('node:http2')}, yamux ${bulk.get('yamux')}`,
    }),
    benchmarkRow({
      metric: 'messages of 32 bytes there and back, a second of CPU',
      unit: '/s',
      better: 'higher',
      ours: messages.get('tapline') ?? 0,
      peers: { 'node:http2': messages.get('node:http2'), yamux: messages.get('yamux') },
      goal: 100_000,
      goalOn: 'ours',
      note: `${note}; raw TLS has ${messages.get('raw TLS')}`,
    }),
  ];
}
