import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '@tapline/testing';
import {
  ipBatch,
  removeLeftovers,
  removeNamespaces,
  runInside,
} from '../../tests/support/test-namespaces.ts';

/** What lies between the two ends. */
export interface PathKind {
  readonly megabits: number;
  /** There and back, beside the queue. */
  readonly roundTripMs: number;
  /** Share of packets that are lost, each way. */
  readonly loss: number;
}

/** Two machines and the path between them. */
export interface BenchPath extends AsyncDisposable {
  readonly client: string;
  readonly server: string;
  readonly serverAddress: string;
}

const prefix = 'tlben';
const queueMs = 50;

/** Where there is neither delay nor loss, tc's tbf; else a relay in user space. */
export async function buildPath(path: PathKind): Promise<BenchPath> {
  removeLeftovers(prefix);
  await using opened = new AsyncDisposableStack();
  const id = `${prefix}${process.pid}x${randomUUID().slice(0, 4)}`;
  const [client, server] = [`${id}-c`, `${id}-s`] as const;
  ipBatch([`netns add ${client}`, `netns add ${server}`]);
  opened.defer(() => removeNamespaces([client, server]));
  for (const space of [client, server]) ipBatch(['link set lo up'], space);
  if (path.roundTripMs === 0 && path.loss === 0) shaped({ client, server }, path.megabits);
  else await relayed({ client, server }, path, opened);
  const owned = opened.move();
  return {
    client,
    server,
    serverAddress: '10.5.0.2',
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function shaped(
  { client, server }: { readonly client: string; readonly server: string },
  megabits: number,
): void {
  ipBatch([`link add path netns ${client} type veth peer name path netns ${server}`]);
  for (const [space, address] of [
    [client, '10.5.0.1/30'],
    [server, '10.5.0.2/30'],
  ] as const) {
    ipBatch([`address add ${address} dev path`, 'link set path up'], space);
    runInside(space, ['sh', '-ec', shapeWithTbf('path', megabits)]);
  }
}

/** A command that shapes what leaves by a device, with a queue of 50 ms. */
export function shapeWithTbf(device: string, megabits: number): string {
  const limit = Math.round((megabits * 1e6 * queueMs) / 8000);
  // The bucket takes what the kernel sends at one time.
  const burst = Math.max(Math.round((megabits * 1e6) / 8 / 1000), 16_000);
  return `tc qdisc add dev ${device} root tbf rate ${megabits}mbit burst ${burst} limit ${limit}`;
}

async function relayed(
  { client, server }: { readonly client: string; readonly server: string },
  { megabits, roundTripMs, loss }: PathKind,
  opened: AsyncDisposableStack,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tapline-relay-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'delay-relay');
  const source = join(import.meta.dirname, 'delay-relay.c');
  execFileSync('gcc', ['-O2', '-o', program, source]);
  const line = [roundTripMs * 500, loss, megabits * 1e6, queueMs * 1000, 7].map(String);
  const words = [client, '10.5.0.1/30', server, '10.5.0.2/30', ...line];
  opened.use(await startProcess(program, words, { readyLine: /ready/ }));
}
