import { Session as Inspector } from 'node:inspector/promises';
import { expect, test } from 'vitest';
import { BufferPool } from './buffer-pool.ts';
import { maxBodyBytes } from './frame.ts';
import { defaultLimits } from './limits.ts';
import { Session } from './session.ts';
import { TunnelServer } from './tunnel-server.ts';
import type { Transport } from './transport.ts';
import type { TunnelStream } from './tunnel-types.ts';

/** A pool that counts what it had to make. */
class CountedPool extends BufferPool {
  made = 0;
  #spare = 0;

  override take(): Uint8Array {
    if (this.#spare === 0) this.made += 1;
    else this.#spare -= 1;
    return super.take();
  }

  override give(buffer: Uint8Array): void {
    this.#spare += 1;
    super.give(buffer);
  }
}

/** Two ends whose bytes are handed over as they are; the reader takes what comes. */
function ends() {
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: () => new Promise<void>(() => undefined),
  };
  const pool = new CountedPool({ most: 1024 });
  const common = { clock, pool, limits: defaultLimits };
  const client = new Session({ role: 'client', ...common });
  const state = { bytes: 0, frames: 0 };
  const server = new TunnelServer({
    ...common,
    newToken: () => new Uint8Array(32),
    onSession(session) {
      session.onStream((stream) => void readAll(stream));
    },
  });
  async function readAll(stream: TunnelStream): Promise<void> {
    for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) {
      state.bytes += piece.length;
      state.frames += 1;
    }
  }
  const towards = { server: [] as Uint8Array[], client: [] as Uint8Array[] };
  const into = (queue: Uint8Array[]): Transport => ({
    write: (bytes) => void queue.push(bytes),
    bufferedBytes: 0,
    close: () => undefined,
  });
  const accepted = server.accept(into(towards.client), 'd1');
  const connected = client.connect(into(towards.server));
  function move(): void {
    for (let moved = true; moved;) {
      const there = towards.server.shift();
      const back = towards.client.shift();
      if (there !== undefined) accepted.receive(there);
      if (back !== undefined) connected.receive(back);
      moved = there !== undefined || back !== undefined;
    }
    connected.drained();
    accepted.drained();
  }
  move();
  const stream = client.open({ class: 'bulk', name: 'blob' });
  const blob = new Uint8Array(262_144);
  const send = async (bytes: number): Promise<void> => {
    for (const until = state.bytes + bytes; state.bytes < until;) {
      while (stream.write(blob));
      for (let turn = 0; turn < 20; turn += 1) {
        nowMs += 0.2;
        move();
        await Promise.resolve();
      }
    }
  };
  return { state, pool, send };
}

test('a frame that passes costs a few views of what is there, and no buffer', async () => {
  const { state, pool, send } = ends();
  // The window opens, and what runs often is compiled.
  await send(64 * 1_048_576);
  const inspector = new Inspector();
  inspector.connect();
  const before = { made: pool.made, frames: state.frames, bytes: state.bytes };
  await inspector.post('HeapProfiler.startSampling', {
    samplingInterval: 4096,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await send(64 * 1_048_576);
  const { profile } = await inspector.post('HeapProfiler.stopSampling');
  inspector.disconnect();
  const frames = state.frames - before.frames;
  expect((state.bytes - before.bytes) / frames).toBeGreaterThan(maxBodyBytes / 2);
  expect(pool.made - before.made).toBe(0);
  const allocated = (node: typeof profile.head): number =>
    node.children.reduce((sum, child) => sum + allocated(child), node.selfSize);
  // Measured 1000 at both ends together: three views, its reader's promise, and what acknowledgements take.
  expect(allocated(profile.head) / frames).toBeLessThan(2000);
}, 30_000);
