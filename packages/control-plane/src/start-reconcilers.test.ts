import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRng, systemClock, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { formatPlan } from '@tapline/reconcile';
import {
  type Delivery,
  deliveryResource,
  type DeliverySpec,
  deviceResource,
  eventResource,
  findCondition,
  type Install,
  installResource,
  packageResource,
  tokenResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import type { PackageSource } from './package/package-source.ts';
import type { Reconcilers } from './start-reconcilers.ts';
import { type MemoryApi, startMemoryApi } from './testing/memory-api.ts';
import { startTestReconcilers } from './testing/test-reconcilers.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/** Builds anything at once, or fails as told. */
class Source implements PackageSource {
  version = '1.7.1';
  failures: TaplineError[] = [];
  builds = 0;

  async build({ formula, platforms }: Parameters<PackageSource['build']>[0]) {
    this.builds += 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return {
      version: this.version,
      repository: formula,
      digest,
      images: platforms.map((platform) => ({
        platform,
        digest,
        sizeBytes: 10,
        unpackedBytes: 20,
        layers: 1,
      })),
      failures: [],
      stages: { resolved: 0.1, built: 0.2, published: 0.01 },
    };
  }
}

/** Devices that answer each revision of each of their Installs, once. */
class Fleet implements AsyncDisposable {
  readonly #client: ResourceClient;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #answered = new Map<string, number>();
  /** Devices that fail what they get. */
  readonly broken = new Set<string>();
  readonly silent = new Set<string>();

  constructor(client: ResourceClient) {
    this.#client = client;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for await (const event of this.#client.watch(installResource, { signal })) {
      if (event.kind === 'added' || event.kind === 'modified') void this.#answer(event.object);
    }
  }

  async #answer(install: Install): Promise<void> {
    const { spec, metadata, status } = install;
    const { revision, device } = spec;
    const key = metadata.uid ?? '';
    if (this.silent.has(device) || status?.observedRevision === revision) return;
    if ((this.#answered.get(key) ?? 0) >= revision) return;
    this.#answered.set(key, revision);
    const failed = this.broken.has(device);
    const answer: NonNullable<Install['status']> = failed
      ? {
          observedRevision: revision,
          state: 'Failed',
          error: { code: 'health_failed', message: 'exit code 1' },
        }
      : { observedRevision: revision, state: 'Ready', stages: { pulled: 0.001, total: 0.002 } };
    const body = { status: answer };
    await this.#client
      .patch(installResource, metadata.name, { kind: 'merge', body }, { subresource: 'status' })
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted && !(error instanceof TaplineError)) throw error;
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

describe('startReconcilers', () => {
  let memory: MemoryApi;
  let client: ResourceClient;
  let source: Source;
  let fleet: Fleet;
  let running: Reconcilers;

  const start = (): Reconcilers => startTestReconcilers(client, { source });

  beforeEach(async () => {
    memory = await startMemoryApi();
    ({ client } = memory);
    source = new Source();
    fleet = new Fleet(client);
    running = start();
    await running.started;
  });

  afterEach(async () => {
    await running[Symbol.asyncDispose]();
    await fleet[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  });

  async function devices(names: readonly string[], connected = true): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        await client.create(deviceResource, {
          metadata: { name, labels: { team: 'design' } },
          spec: { platform: 'linux/arm64', role: 'device' },
        });
        const since = new Date(systemClock.now() - 60_000).toISOString();
        const body = { status: { presence: { connected, epoch: 1, since } } };
        const patch = { kind: 'merge', body } as const;
        await client.patch(deviceResource, name, patch, { subresource: 'status' });
      }),
    );
  }

  async function deploy(name: string, spec: Partial<DeliverySpec> = {}): Promise<Delivery> {
    return await client.create(deliveryResource, {
      metadata: { name },
      spec: {
        package: { formula: 'jq' },
        selector: { matchLabels: { team: 'design' } },
        rollout: 1,
        ...spec,
      },
    });
  }

  async function change(name: string, spec: Partial<DeliverySpec>): Promise<void> {
    await client.patch(deliveryResource, name, { kind: 'merge', body: { spec } });
  }

  /** The delivery once its Ready condition has one of the reasons. */
  async function reached(name: string, ...reasons: string[]): Promise<Delivery> {
    return await eventually(`${name} is ${reasons.join(' or ')}`, async () => {
      const delivery = await client.get(deliveryResource, name);
      const ready = findCondition(delivery.status?.conditions, 'Ready');
      const current = delivery.status?.observedGeneration === delivery.metadata.generation;
      return current && reasons.includes(ready?.reason ?? '') ? delivery : undefined;
    });
  }

  it('takes a delivery from a formula to devices that are ready', async () => {
    await devices(['d1', 'd2']);
    await deploy('jq');
    const { status } = await reached('jq', 'Complete');
    expect(status).toMatchObject({
      revision: 1,
      version: '1.7.1',
      counts: { desired: 2, reachable: 2, updated: 2, ready: 2, failed: 0, offline: 0 },
      packageStages: { resolved: 0.1, built: 0.2, published: 0.01 },
    });
    expect(status?.stages?.map(({ name }) => name).toSorted()).toEqual([
      'notified',
      'pulled',
      'total',
    ]);
    const install = await client.get(installResource, 'd1.jq');
    expect(install.spec).toMatchObject({ device: 'd1', delivery: 'jq', revision: 1 });
    const reasons = await eventually('events of package and delivery', async () => {
      const { items } = await client.list(eventResource);
      const found = items.map(({ reason }) => reason);
      return found.includes('Complete') && found.includes('Published') ? found : undefined;
    });
    expect(reasons).toContain('WaitingForPackage');
    expect(running.explainDelivery('jq')).toEqual({ steps: [], waiting: [] });
    expect(running.explainInstall('d1.jq')).toEqual({ steps: [], waiting: [] });
  });

  it('rolls a warm package out again without asking Homebrew', async () => {
    await devices(['d1']);
    await deploy('jq');
    await reached('jq', 'Complete');
    await change('jq', { rollout: 2 });
    const { status } = await eventually('revision 2 is complete', async () => {
      const delivery = await reached('jq', 'Complete');
      return delivery.status?.revision === 2 ? delivery : undefined;
    });
    expect(status?.packageStages).toEqual({});
    expect(source.builds).toBe(1);
  });

  it('surfaces a permanent failure at once, and tries again with the next rollout', async () => {
    source.failures = [new TaplineError('formula_not_found', 'formula jq does not exist')];
    await devices(['d1']);
    await deploy('jq');
    const { status } = await reached('jq', 'PackageFailed');
    expect(status?.error?.code).toBe('formula_not_found');
    expect(formatPlan(running.explainDelivery('jq') ?? { steps: [], waiting: [] })).toBe(
      'wait  package of jq: formula_not_found: formula jq does not exist\n',
    );
    expect(source.builds).toBe(1);
    await change('jq', { rollout: 2 });
    await reached('jq', 'Complete');
    expect(source.builds).toBe(2);
  });

  it('waits and tries again while Homebrew is unreachable', async () => {
    source.failures = [new TaplineError('homebrew_unreachable', 'no route to formulae.brew.sh')];
    await devices(['d1']);
    await deploy('jq');
    const { status } = await reached('jq', 'WaitingForPackage');
    await eventually('the package says why', async () => {
      const found = await client.get(packageResource, 'jq');
      return found.status?.error?.code === 'homebrew_unreachable' ? found : undefined;
    });
    expect(status?.revision).toBe(1);
    await reached('jq', 'Complete');
    expect(source.builds).toBe(2);
    expect((await client.get(packageResource, 'jq')).status?.error).toBeUndefined();
  });

  it('stops at the error budget and goes on with a better revision', async () => {
    const strategy = {
      waves: [1, '100%'],
      quorum: '100%',
      errorBudget: 0,
      progressDeadlineSeconds: 60,
    };
    for (const name of ['d1', 'd2', 'd3']) fleet.broken.add(name);
    await devices(['d1', 'd2', 'd3']);
    await deploy('jq', { strategy });
    const { status } = await reached('jq', 'ErrorBudgetExhausted');
    expect(status?.counts).toMatchObject({ updated: 1, failed: 1 });
    fleet.broken.clear();
    await change('jq', { rollout: 2 });
    const fixed = await reached('jq', 'Complete');
    expect(fixed.status?.history?.map(({ outcome }) => outcome)).toEqual(['Complete', 'Failed']);
  });

  it('is not held up by offline devices, which converge when they return', async () => {
    fleet.silent.add('off');
    await devices(['on']);
    await devices(['off'], false);
    await deploy('jq');
    const { status } = await reached('jq', 'CompleteExceptOffline');
    expect(status?.counts).toMatchObject({ ready: 1, offline: 1, updated: 2 });
    fleet.silent.clear();
    const body = {
      status: { presence: { connected: true, epoch: 2, since: new Date().toISOString() } },
    };
    await client.patch(deviceResource, 'off', { kind: 'merge', body }, { subresource: 'status' });
    const answer = { status: { observedRevision: 1, state: 'Ready' } };
    await client.patch(
      installResource,
      'off.jq',
      { kind: 'merge', body: answer },
      { subresource: 'status' },
    );
    await reached('jq', 'Complete');
  });

  it('removes the install of a device that is no longer selected', async () => {
    await devices(['d1', 'd2']);
    await deploy('jq');
    await reached('jq', 'Complete');
    const body = { metadata: { labels: { team: 'ops' } } };
    await client.patch(deviceResource, 'd2', { kind: 'merge', body });
    await eventually('the install of d2 goes', async () => {
      const { items } = await client.list(installResource);
      return items.length === 1 ? items : undefined;
    });
    const { status } = await eventually('the delivery counts one device', async () => {
      const delivery = await client.get(deliveryResource, 'jq');
      return delivery.status?.counts?.desired === 1 ? delivery : undefined;
    });
    expect(status?.counts).toMatchObject({ ready: 1 });
  });

  it('removes the installs of a delivery that was deleted, and lets the next one have the device', async () => {
    await devices(['d1']);
    await deploy('first');
    await reached('first', 'Complete');
    const first = await client.get(installResource, 'd1.jq');
    await deploy('second');
    const { status } = await reached('second', 'DevicesFailed');
    expect(status?.error?.code).toBe('install_conflict');
    expect(status?.error?.message).toContain('first and second');
    await client.delete(deliveryResource, 'first');
    await reached('second', 'Complete');
    const second = await client.get(installResource, 'd1.jq');
    expect(second.spec.delivery).toBe('second');
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    await client.delete(deliveryResource, 'second');
    await eventually('the install goes', async () => {
      const { items } = await client.list(installResource);
      return items.length === 0 ? items : undefined;
    });
  });

  it('folds the reports of a thousand devices into a few writes', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `d${index}`);
    await devices(names);
    let writes = 0;
    running.informers.deliveries.onChange(({ kind }) => {
      if (kind === 'modified') writes += 1;
    });
    await deploy('jq');
    const { status } = await reached('jq', 'Complete');
    expect(status?.counts?.ready).toBe(1000);
    // Once per pause of coalescing at the most; a busy machine takes longer, and has more of them.
    expect(writes).toBeLessThan(100);
  });

  it('shows presence as a condition of the device', async () => {
    await devices(['d1']);
    const ready = await eventually('the device has a condition', async () => {
      const device = await client.get(deviceResource, 'd1');
      return findCondition(device.status?.conditions, 'Ready');
    });
    expect(ready).toMatchObject({ status: 'True', reason: 'Connected' });
  });

  it('removes tokens once they have expired', async () => {
    const expiresAt = new Date(systemClock.now() + 300).toISOString();
    await client.create(tokenResource, {
      metadata: { name: 'short' },
      spec: { purpose: 'Join', hash: 'a'.repeat(64), expiresAt, uses: 1, role: 'device' },
    });
    await expect(client.get(tokenResource, 'short')).resolves.toBeDefined();
    const left = await eventually('the token goes', async () => {
      const { items } = await client.list(tokenResource);
      return items.length === 0 ? items : undefined;
    });
    expect(left).toEqual([]);
  });

  it('converges however often the reconcilers are stopped and started again', async () => {
    await devices(['d1', 'd2', 'd3', 'd4']);
    const rng = seededRng(7);
    const strategy = {
      waves: [1, '50%', '100%'],
      quorum: '100%',
      errorBudget: 0,
      progressDeadlineSeconds: 60,
    };
    await deploy('jq', { strategy });
    for (let rollout = 2; rollout <= 6; rollout += 1) {
      await systemClock.sleep(rng() * 20);
      await running[Symbol.asyncDispose]();
      running = start();
      await systemClock.sleep(rng() * 20);
      await change('jq', { rollout });
    }
    const { status } = await reached('jq', 'Complete');
    expect(status?.counts).toMatchObject({ ready: 4, updated: 4 });
    const { items } = await client.list(installResource);
    expect(new Set(items.map(({ spec }) => spec.revision))).toEqual(new Set([status?.revision]));
  });
});
