import { appendFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { createJsonLog, systemClock, systemRng } from '@tapline/base';
import { createHttpClient } from '@tapline/client';
import { createRegistryClient } from '@tapline/registry';
import { installResource } from '@tapline/resources';
import { createRuncRuntime } from '@tapline/runtimes';
import { createAgentCore } from '../agent-core.ts';
import { followLog } from '../follow-log.ts';
import { AgentState } from '../agent-state.ts';
import { feedOverApi } from '../installs/feed-over-api.ts';
import { fixedTrust } from './test-signer.ts';
import { openImageStore } from '../open-image-store.ts';

// It is killed before it could keep what it compiled for the next.
flushCompileCache();

/** What the crash test tells an agent process that it starts. */
export interface CrashOrder {
  readonly folder: string;
  readonly server: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly revision: number;
  /** Of who signed the images. */
  readonly publicKeyPem: string;
  /** Ends itself by SIGKILL at this call of a store or runtime method; never where 0. */
  readonly killAt: number;
}

/**
 * A whole agent in a process of its own, which may kill itself before or after any call that it
 * makes to its state, images or runtime. Prints its outcome and how many calls it took when the order is carried out.
 */
async function run(order: CrashOrder): Promise<void> {
  const { folder, server, tls, revision, killAt } = order;
  let calls = 0;
  function boundary(): void {
    calls += 1;
    if (calls === killAt) process.kill(process.pid, 'SIGKILL');
  }
  function mined<T extends object>(target: T): T {
    return new Proxy(target, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name, of);
        if (typeof value !== 'function' || typeof name === 'symbol') return value;
        // Settles when a program ends, which is no step of the agent.
        if (name === 'wait') return value.bind(of) as unknown;
        return (...given: unknown[]) => {
          boundary();
          const result: unknown = Reflect.apply(value, of, given);
          if (!(result instanceof Promise)) return result;
          return result.then((settled: unknown) => {
            boundary();
            return settled;
          });
        };
      },
    });
  }
  const clock = systemClock;
  const log = createJsonLog({
    clock,
    write: (line) => appendFileSync(join(folder, 'agent.log'), line),
  });
  const client = createHttpClient({
    baseUrl: server,
    ca: tls.ca,
    credentials: { kind: 'certificate', certificate: tls.cert, key: tls.key },
    userAgent: 'crash-child',
    clock,
  });
  const registryClient = createRegistryClient({ baseUrl: server, tls });
  const core = await createAgentCore({
    followLog,
    device: 'd1',
    installs: feedOverApi(client, 'd1'),
    state: mined(await AgentState.open(join(folder, 'state'))),
    images: mined(
      await openImageStore({
        directory: join(folder, 'images'),
        registry: () => registryClient,
        trust: fixedTrust(order.publicKeyPem),
        boot: 'this',
        log,
        floorBytes: 0,
      }),
    ),
    runtime: mined(await createRuncRuntime({ directory: join(folder, 'runtime'), clock, log })),
    clock,
    rng: systemRng,
    log,
    stopGraceMs: 50,
  });
  await core.synced;
  for (;;) {
    await core.idle();
    const { status } = await client.get(installResource, 'd1.tool');
    const outcome = ['Ready', 'RolledBack', 'Failed'].includes(status?.state ?? '');
    if (status?.observedRevision === revision && outcome) {
      process.stdout.write(`${status.state} ${status.active?.revision} after ${calls} calls\n`);
      return;
    }
    await clock.sleep(5);
  }
}

await run(JSON.parse(process.argv[2] ?? '') as CrashOrder);
