import { RawConnection } from './raw-connection.ts';

/** One side of the comparison: how to create an object, and how to watch for it. */
export interface Target {
  readonly port: number;
  /** The request that creates object `index`, durably once it is answered. */
  readonly create: (index: number) => string;
  readonly createdStatus: number;
  readonly watch: string;
  /** A part of the text of the event for object `index`. */
  readonly marker: (index: number) => string;
}

/** Creates for about `ms` over `concurrency` connections; objects a second. */
export async function measureCreates(
  target: Target,
  options: { readonly concurrency: number; readonly ms: number; readonly firstIndex: number },
): Promise<{ readonly rate: number; readonly created: number }> {
  const { concurrency, ms, firstIndex } = options;
  const connections = await openAll(target.port, concurrency);
  let created = 0;
  const start = performance.now();
  const end = start + ms;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < end) {
        const index = firstIndex + created;
        created += 1;
        const { status, body } = await connection.send(target.create(index));
        if (status !== target.createdStatus) throw new Error(`create answered ${status}: ${body}`);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const connection of connections) connection[Symbol.dispose]();
  return { rate: created / seconds, created };
}

/** Milliseconds from sending a create until the last of `watchers` has its event, for each of `rounds`. */
export async function measureFanOut(
  target: Target,
  options: { readonly watchers: number; readonly rounds: number; readonly firstIndex: number },
): Promise<readonly number[]> {
  const { watchers, rounds, firstIndex } = options;
  const connections = await openAll(target.port, watchers);
  let marker = ' nothing yet ';
  let missing = 0;
  let arrived = Promise.withResolvers<void>();
  for (const connection of connections) {
    let rest = '';
    connection.stream(target.watch, (text) => {
      rest = (rest + text).slice(-4096);
      if (!rest.includes(marker)) return;
      rest = '';
      missing -= 1;
      if (missing === 0) arrived.resolve();
    });
  }
  // Watches are joined when their head has come; the first round waits for all of them anyway.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const [writer] = await openAll(target.port, 1);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const index = firstIndex + round;
    marker = target.marker(index);
    missing = watchers;
    arrived = Promise.withResolvers();
    const start = performance.now();
    const answer = writer?.send(target.create(index));
    await Promise.race([
      arrived.promise,
      new Promise((_resolve, reject) => {
        setTimeout(() => reject(new Error(`${missing} watchers got no event`)), 20_000).unref();
      }),
    ]);
    times.push(performance.now() - start);
    await answer;
  }
  writer?.[Symbol.dispose]();
  for (const connection of connections) connection[Symbol.dispose]();
  return times;
}

/** Seconds until one write over each of as many connections, all sent at once, is answered. */
export async function measureBurst(port: number, requests: readonly string[]): Promise<number> {
  const connections = await openAll(port, requests.length);
  const start = performance.now();
  const answers = await Promise.all(
    connections.map((connection, index) => connection.send(requests[index] ?? '')),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const connection of connections) connection[Symbol.dispose]();
  const failed = answers.find(({ status }) => status !== 200);
  if (failed !== undefined) throw new Error(`a write answered ${failed.status}: ${failed.body}`);
  return seconds;
}

async function openAll(port: number, count: number): Promise<readonly RawConnection[]> {
  const connections: RawConnection[] = [];
  // In batches: a listen queue that overflows would make clients wait for seconds.
  while (connections.length < count) {
    const batch = Math.min(100, count - connections.length);
    const opened = await Promise.all(Array.from({ length: batch }, () => RawConnection.open(port)));
    connections.push(...opened);
  }
  return connections;
}
