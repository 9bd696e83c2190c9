import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { openMemoryStore, openSqliteStore, type Store } from '../packages/store/src/index.ts';

/**
 * The store alone, without HTTP: durable creates per second, watch fan-out, list and opening.
 * `node bench/store.ts [seconds per figure]`.
 */
const seconds = Number(process.argv[2] ?? 2);
const value = JSON.stringify({ apiVersion: 'tapline.dev/v1alpha1', spec: 'x'.repeat(950) });
const folder = mkdtempSync(join(tmpdir(), 'tapline-bench-store-'));
const path = join(folder, 'store.db');

try {
  for (const concurrency of [1, 16, 256]) {
    await using store = await openFresh();
    print(`SQLite, ${concurrency} writers`, await creates(store, concurrency));
  }
  for (const prefix of ['', '/registry/tapline.dev/devices/default/device-#/'] as const) {
    await using store = await openFresh();
    print(`SQLite, 16 writers, 1000 watchers of "${prefix}"`, await fanOut(store, prefix));
  }
  {
    await using store = openMemoryStore();
    print('memory, 16 writers', await creates(store, 16));
  }
  await largeStore();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function openFresh(): Promise<Store> {
  for (const suffix of ['', '-wal']) rmSync(path + suffix, { force: true });
  return openSqliteStore({ path });
}

async function creates(store: Store, concurrency: number): Promise<string> {
  const latencies: number[] = [];
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  let created = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < end) {
        const key = `/registry/tapline.dev/devices/default/device-${created++}/state`;
        const from = performance.now();
        await store.write([{ kind: 'create', key, value }]);
        latencies.push(performance.now() - from);
      }
    }),
  );
  const elapsed = (performance.now() - start) / 1000;
  loop.disable();
  latencies.sort((a, b) => a - b);
  const at = (share: number): string =>
    `${(latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2)} ms`;
  return (
    `${Math.round(created / elapsed)} creates/s, p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}` +
    `, event loop p99 ${(loop.percentile(99) / 1e6).toFixed(1)} ms`
  );
}

/** With 1000 watchers of a prefix in which # stands for the number of the watcher. */
async function fanOut(store: Store, pattern: string): Promise<string> {
  const controller = new AbortController();
  let received = 0;
  const done = Array.from({ length: 1000 }, async (_, index) => {
    const prefix = pattern.replace('#', String(index));
    for await (const batch of store.watch({ prefix, after: 0, signal: controller.signal })) {
      received += batch.length;
    }
  });
  const start = performance.now();
  const text = await creates(store, 16);
  const elapsed = (performance.now() - start) / 1000;
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await Promise.all(done);
  return `${text}, ${Math.round(received / elapsed)} changes/s delivered`;
}

async function largeStore(): Promise<void> {
  const count = 100_000;
  {
    await using store = await openFresh();
    for (let at = 0; at < count; at += 1000) {
      await store.write(
        Array.from({ length: 1000 }, (_, index) => ({
          kind: 'create' as const,
          key: `/registry/tapline.dev/devices/default/device-${at + index}`,
          value,
        })),
      );
    }
  }
  const before = process.memoryUsage().rss;
  const start = performance.now();
  await using store = await openSqliteStore({ path });
  const opened = performance.now();
  await store.list({ prefix: '/registry/tapline.dev/devices/' });
  const listed = performance.now();
  await store.list({ prefix: '/registry/tapline.dev/devices/', limit: 500 });
  const paged = performance.now();
  print(
    `${count} objects of ${value.length} bytes`,
    `opens in ${(opened - start).toFixed(0)} ms, lists all in ${(listed - opened).toFixed(1)} ms, ` +
      `a page of 500 in ${(paged - listed).toFixed(1)} ms, file ${megabytes(statSync(path).size)}, ` +
      `memory ${megabytes(process.memoryUsage().rss - before)}`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function print(name: string, result: string): void {
  process.stdout.write(`${name}: ${result}\n`);
}
