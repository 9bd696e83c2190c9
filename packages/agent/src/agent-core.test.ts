import { join } from 'node:path';
import { createJsonLog, silentLog, systemClock, systemRng, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { Digest } from '@tapline/oci';
import {
  createRegistryClient,
  type RegistryClient,
  type RunningRegistry,
  startRegistry,
} from '@tapline/registry';
import {
  type Install,
  type InstallImage,
  installResource,
  type InstallSpec,
} from '@tapline/resources';
import { createRuncRuntime, type Runtime } from '@tapline/runtimes';
import { createImageSigner, newImageKeyPem } from '@tapline/signatures';
import { haveProgram, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AgentCore, createAgentCore } from './agent-core.ts';
import { followLog } from './follow-log.ts';
import { AgentState } from './agent-state.ts';
import { feedOverApi } from './installs/feed-over-api.ts';
import { type ImageStoreInit, openImageStore } from './open-image-store.ts';
import {
  createInterruptibleClient,
  type InterruptibleClient,
} from './testing/interruptible-client.ts';
import { startTestApi, type TestApi } from './testing/start-test-api.ts';
import { createTestImages, type TestImages } from './testing/test-images.ts';
import { fixedTrust, testSigner } from './testing/test-signer.ts';

const log =
  process.env['TAPLINE_TEST_LOG'] === undefined
    ? silentLog
    : createJsonLog({
        clock: systemClock,
        level: 'debug',
        write: (line) => process.stdout.write(line),
      });

const root = process.getuid?.() === 0 && haveProgram('runc');

describe.skipIf(!root)('the agent, with runc (needs root and runc)', () => {
  let shared: TemporaryFolder;
  let registry: RunningRegistry;
  let registryClient: RegistryClient;
  let images: TestImages;
  beforeAll(async () => {
    shared = await temporaryFolder();
    registry = await startRegistry({
      directory: join(shared.path, 'registry'),
      authorize: () => 'allowed',
    });
    registryClient = createRegistryClient({ baseUrl: registry.url, attempts: 1 });
    images = createTestImages(join(shared.path, 'images'), registryClient);
  });
  afterAll(async () => {
    await registryClient[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await shared[Symbol.asyncDispose]();
  });

  let folder: TemporaryFolder;
  let api: TestApi;
  let client: ResourceClient;
  let deviceClient: InterruptibleClient;
  let agent:
    | (AsyncDisposable & { core: AgentCore; runtime: Runtime; state: AgentState })
    | undefined;
  let source: Pick<RegistryClient, 'manifest' | 'blob' | 'referrers'>;
  beforeEach(async () => {
    folder = await temporaryFolder();
    api = await startTestApi('d1');
    ({ client } = api);
    deviceClient = createInterruptibleClient(api.deviceClient);
    source = registryClient;
  });
  afterEach(async () => {
    await stop();
    // Only now: a running agent would start again what is removed.
    await using runtime = await createRuncRuntime({
      directory: join(folder.path, 'runtime'),
      clock: systemClock,
      log,
    });
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await api[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  async function start(options: Partial<ImageStoreInit> = {}): Promise<AgentCore> {
    const stack = new AsyncDisposableStack();
    const clock = systemClock;
    const state = stack.use(await AgentState.open(join(folder.path, 'state')));
    const store = stack.use(
      await openImageStore({
        directory: join(folder.path, 'images'),
        registry: () => source,
        trust: fixedTrust(testSigner.publicKeyPem),
        boot: 'this',
        log,
        floorBytes: 0,
        ...options,
      }),
    );
    const runtime = stack.use(
      await createRuncRuntime({ directory: join(folder.path, 'runtime'), clock, log }),
    );
    const core = stack.use(
      await createAgentCore({
        device: 'd1',
        installs: feedOverApi(deviceClient, 'd1'),
        state,
        images: store,
        runtime,
        followLog,
        clock,
        rng: systemRng,
        log,
        // What these tests run is a container's first process and heeds no SIGTERM.
        stopGraceMs: 100,
      }),
    );
    agent = { core, runtime, state, [Symbol.asyncDispose]: () => stack.disposeAsync() };
    return core;
  }

  async function stop(): Promise<void> {
    await agent?.[Symbol.asyncDispose]();
    agent = undefined;
  }

  function specOf(image: InstallImage, more: Partial<InstallSpec> = {}): InstallSpec {
    const revision = more.revision ?? 1;
    return {
      device: 'd1',
      delivery: 'tool',
      formula: 'tool',
      version: `1.${revision}`,
      revision,
      image,
      ...more,
    };
  }

  async function deliver(spec: InstallSpec): Promise<void> {
    const name = `d1.${spec.formula}`;
    try {
      const install = await client.get(installResource, name);
      await client.update(installResource, { ...install, spec });
    } catch (error) {
      if (!(error instanceof TaplineError && error.code === 'not_found')) throw error;
      await client.create(installResource, { metadata: { name }, spec });
    }
  }

  function status(formula = 'tool'): Promise<Install['status']> {
    return client.get(installResource, `d1.${formula}`).then((install) => install.status);
  }

  /** Waits until the status of the Install matches. */
  async function reaches(expected: object, formula?: string): Promise<void> {
    await vi.waitFor(async () => expect(await status(formula)).toMatchObject(expected), {
      timeout: 15_000,
      interval: 10,
    });
  }

  const serve = (script: string): Partial<InstallSpec> => ({
    run: { command: ['/bin/sh', '-c', script], restart: 'Always' },
  });

  test('installs a command-line tool, proves it, and reports once with its stages', async () => {
    const image = await images.push('cold', 'echo tool 1.0');
    await start();
    await deliver(specOf(image));
    await reaches({ state: 'Ready', observedRevision: 1, active: { version: '1.1' } });
    const cold = await status();
    expect(Object.keys(cold?.stages ?? {})).toEqual([
      'pulled',
      'unpacked',
      'started',
      'ready',
      'total',
    ]);
    expect(cold).toMatchObject({ fetchedBlobs: 2, fetchedBytes: image.sizeBytes });
    expect(cold?.conditions).toMatchObject([{ type: 'Ready', status: 'True', reason: 'Ready' }]);

    // The same image again: nothing to fetch.
    await deliver(specOf(image, { revision: 2 }));
    await reaches({ state: 'Ready', observedRevision: 2, fetchedBlobs: 0, fetchedBytes: 0 });
  });

  test('fetches only the layers that it lacks', async () => {
    await start();
    await deliver(specOf(await images.push('one', 'echo 1')));
    await reaches({ state: 'Ready', observedRevision: 1 });
    await deliver(specOf(await images.push('two', 'echo 2'), { revision: 2 }));
    await reaches({ state: 'Ready', observedRevision: 2 });
    expect(await status()).toMatchObject({ fetchedBlobs: 1 });
  });

  test('goes back to the last good one when a new one is not healthy', async () => {
    await start();
    await deliver(specOf(await images.push('good', 'echo fine')));
    await reaches({ state: 'Ready' });
    await deliver(specOf(await images.push('bad', 'echo broken >&2; exit 3'), { revision: 2 }));
    await reaches({
      state: 'RolledBack',
      observedRevision: 2,
      active: { version: '1.1', revision: 1 },
      error: { code: 'health_check_failed' },
    });
    expect((await status())?.error?.message).toMatch(/exit code 3: broken/);
  });

  test('a first one that is not healthy has failed', async () => {
    await start();
    await deliver(specOf(await images.push('worse', 'exit 1')));
    await reaches({ state: 'Failed', error: { code: 'health_check_failed' } });
    expect((await status())?.active).toBeUndefined();
  });

  test('keeps a program running, replaces it, and goes back to it', async () => {
    await start();
    const image = await images.push('served', 'echo tool');
    await deliver(specOf(image, serve('echo first; exec sleep 1000')));
    await reaches({ state: 'Ready', observedRevision: 1 });
    await deliver(specOf(image, { revision: 2, ...serve('echo second; exec sleep 1000') }));
    await reaches({ state: 'Ready', observedRevision: 2 });
    await vi.waitFor(async () =>
      expect((await agent?.runtime.list())?.map(({ labels }) => labels['revision'])).toEqual(['2']),
    );
    await deliver(specOf(image, { revision: 3, ...serve('exit 9') }));
    await reaches({ state: 'RolledBack', observedRevision: 3, active: { revision: 2 } });
    const left = await agent?.runtime.list();
    expect(left?.map(({ labels, status: state }) => [labels['revision'], state])).toEqual([
      ['2', 'running'],
    ]);
  });

  test('restarts a program that was killed, and adopts one that runs on without it', async () => {
    await start();
    await deliver(specOf(await images.push('kept', 'echo tool'), serve('exec sleep 1000')));
    await reaches({ state: 'Ready' });
    const [first] = (await agent?.runtime.list()) ?? [];
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await reaches({ restarts: 1 });
    const [second] = (await agent?.runtime.list()) ?? [];
    expect(second?.pid).not.toBe(first?.pid);

    await stop();
    deviceClient.failWith(new TaplineError('unavailable', 'the control plane is away'));
    const core = await start();
    await core.idle();
    const [third] = (await agent?.runtime.list()) ?? [];
    expect(third?.pid).toBe(second?.pid);
    expect(third?.status).toBe('running');
  });

  test('starts again without its control plane what was running before a reboot', async () => {
    await start();
    await deliver(specOf(await images.push('reboot', 'echo tool'), serve('exec sleep 1000')));
    await reaches({ state: 'Ready' });
    // What a reboot leaves: files, and no process.
    for (const { id } of (await agent?.runtime.list()) ?? []) await agent?.runtime.remove(id);
    await stop();
    deviceClient.failWith(new TaplineError('unavailable', 'the control plane is away'));
    const core = await start();
    await core.idle();
    expect(await agent?.runtime.list()).toMatchObject([{ status: 'running' }]);
  });

  test('takes no fetch that does not fit, says so, and keeps what it has', async () => {
    const small = await images.push('small', 'echo small');
    await start({ quotaBytes: small.unpackedBytes + 100_000 });
    await deliver(specOf(small));
    await reaches({ state: 'Ready' });
    let fetched = 0;
    source = {
      referrers: (...given) => registryClient.referrers(...given),
      manifest: (...given) => registryClient.manifest(...given),
      blob: (repository, blob, options) => {
        if (blob.size > 2000) fetched += 1;
        return registryClient.blob(repository, blob, options);
      },
    };
    const large = await images.push('large', `# ${'x'.repeat(50_000)}${Math.random()}\necho large`);
    await deliver(specOf({ ...large, unpackedBytes: large.unpackedBytes * 1000 }, { revision: 2 }));
    await reaches({
      state: 'Failed',
      observedRevision: 2,
      active: { revision: 1 },
      error: { code: 'insufficient_storage' },
    });
    expect(fetched).toBe(0);
  });

  test('starts nothing whose content is not what its digest says', async () => {
    source = {
      referrers: (...given) => registryClient.referrers(...given),
      manifest: (...given) => registryClient.manifest(...given),
      blob: () => {
        throw new TaplineError('digest_mismatch', 'blob has other content');
      },
    };
    await start();
    await deliver(specOf(await images.push('forged', 'echo forged')));
    await reaches({ state: 'Failed', error: { code: 'digest_mismatch' } });
    expect(await agent?.runtime.list()).toEqual([]);
  });

  test('waits for a registry that is away, and says what it waits for', async () => {
    let away = true;
    source = {
      referrers: (...given) => registryClient.referrers(...given),
      manifest: (...given) => {
        if (away) throw new TaplineError('registry_unreachable', 'nobody there');
        return registryClient.manifest(...given);
      },
      blob: (...given) => registryClient.blob(...given),
    };
    await start();
    await deliver(specOf(await images.push('late', 'echo late')));
    await reaches({ state: 'Pulling', error: { code: 'registry_unreachable' } });
    away = false;
    await reaches({ state: 'Ready' });
    expect((await status())?.error).toBeUndefined();
  });

  test('never waits for its control plane, and tells it later', async () => {
    const image = await images.push('offline', 'echo offline');
    await start();
    await deliver(specOf(image));
    await vi.waitFor(() => expect(agent?.state.records()).toHaveLength(1));
    deviceClient.failWith(new TaplineError('unavailable', 'away'));
    await vi.waitFor(() => expect(agent?.state.records()[0]?.active?.revision).toBe(1), {
      timeout: 10_000,
    });
    await stop();
    await start();
    deviceClient.failWith(undefined);
    await reaches({ state: 'Ready', observedRevision: 1 });
    await vi.waitFor(() => expect(agent?.state.outbox()).toEqual([]));
  });

  test('says how it ended, where it was killed before it noted more than its progress', async () => {
    await start();
    await deliver(specOf(await images.push('killed', 'echo killed')));
    await reaches({ state: 'Ready', observedRevision: 1 });
    await stop();
    const install = await client.get(installResource, 'd1.tool');
    const { uid = '', name } = install.metadata;
    const progress = { observedRevision: 1, state: 'Starting' as const };
    await client.updateStatus(installResource, { ...install, status: progress });
    {
      await using state = await AgentState.open(join(folder.path, 'state'));
      state.putOutbox({ uid, name, status: progress });
    }
    await start();
    await reaches({ state: 'Ready', observedRevision: 1 });
    await vi.waitFor(() => expect(agent?.state.outbox()).toEqual([]));
  });

  test('drops what a newer revision makes pointless', async () => {
    const stuck = Promise.withResolvers<never>();
    stuck.promise.catch(() => undefined);
    let aborted = false;
    source = {
      referrers: (...given) => registryClient.referrers(...given),
      manifest: (...given) => registryClient.manifest(...given),
      blob: async function* stall(repository, blob, options) {
        if (blob.size < 2000 || aborted) {
          yield* registryClient.blob(repository, blob, options);
          return;
        }
        options?.signal?.addEventListener('abort', () => {
          aborted = true;
          stuck.reject(options.signal?.reason);
        });
        await stuck.promise;
      },
    };
    await start();
    await deliver(specOf(await images.push('slow', 'echo slow')));
    await reaches({ state: 'Pulling' });
    await deliver(specOf(await images.push('quick', 'echo quick'), { revision: 2 }));
    await reaches({ state: 'Ready', observedRevision: 2 });
    expect(aborted).toBe(true);
  });

  test('takes up and reports what it could not note while its disk was full', async () => {
    await start();
    const image = await images.push('noted', 'echo noted');
    const full = (): never => {
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
    };
    const put = vi.spyOn(agent?.state ?? notRunning(), 'put').mockImplementation(full);
    await deliver(specOf(image));
    await vi.waitFor(() => expect(put).toHaveBeenCalledTimes(2), { timeout: 5000 });
    put.mockRestore();
    const putOutbox = vi.spyOn(agent?.state ?? notRunning(), 'putOutbox').mockImplementation(full);
    await vi.waitFor(() => expect(putOutbox.mock.calls.at(-1)?.[0].status.state).toBe('Ready'), {
      timeout: 15_000,
    });
    putOutbox.mockRestore();
    await reaches({ state: 'Ready', observedRevision: 1 });

    const again = vi.spyOn(agent?.state ?? notRunning(), 'put').mockImplementation(full);
    await client.delete(installResource, 'd1.tool');
    await vi.waitFor(() => expect(again).toHaveBeenCalled(), { timeout: 5000 });
    again.mockRestore();
    await vi.waitFor(() => expect(agent?.state.records()).toEqual([]), { timeout: 5000 });
  });

  test('never goes back to an older revision', async () => {
    const image = await images.push('fenced', 'echo fenced');
    await start();
    await deliver(specOf(image, { revision: 5 }));
    await reaches({ state: 'Ready', observedRevision: 5 });
    await deliver(specOf(image, { revision: 4 }));
    await agent?.core.idle();
    expect(agent?.state.records()[0]?.desired.revision).toBe(5);
  });

  test('removes what was deleted, also while it was away, and its images', async () => {
    await start();
    await deliver(specOf(await images.push('gone', 'echo gone'), serve('exec sleep 1000')));
    await reaches({ state: 'Ready' });
    await stop();
    await client.delete(installResource, 'd1.tool');
    const core = await start();
    await core.synced;
    await vi.waitFor(() => expect(agent?.state.records()).toEqual([]), { timeout: 10_000 });
    expect(await agent?.runtime.list()).toEqual([]);
    const { readdir } = await import('node:fs/promises');
    await vi.waitFor(
      async () => expect(await readdir(join(folder.path, 'images/layers'))).toEqual([]),
      { timeout: 5000 },
    );
  });

  test('keeps the images of what is served and of the one before, and no others', async () => {
    await start();
    const pushed: InstallImage[] = [];
    for (const revision of [1, 2, 3, 4]) {
      const image = await images.push(`generation-${revision}`, `echo ${revision}`);
      pushed.push(image);
      await deliver(specOf(image, { revision }));
      await reaches({ state: 'Ready', observedRevision: revision });
    }
    const { readdir } = await import('node:fs/promises');
    const names = (await readdir(join(folder.path, 'images/rootfs'))).length;
    expect(names).toBeGreaterThan(0);
    await vi.waitFor(
      async () => {
        const kept = (await readdir(join(folder.path, 'images/images'))).toSorted();
        const wanted = pushed.slice(-2).map(({ digest }) => `${(digest as Digest).slice(7)}.json`);
        expect(kept).toEqual(wanted.toSorted());
      },
      { timeout: 5000 },
    );
  });

  test('works on several installs at once: one that is stuck holds up no other', async () => {
    const never = new Promise<never>(() => {});
    const image = await images.push('free', 'echo free');
    const stuck = await images.push('stuck', 'echo stuck');
    source = {
      referrers: (...given) => registryClient.referrers(...given),
      manifest: (repository, reference, options) =>
        reference === stuck.digest
          ? Promise.race([never, abortOf(options?.signal)])
          : registryClient.manifest(repository, reference, options),
      blob: (...given) => registryClient.blob(...given),
    };
    await start();
    await deliver(specOf(stuck, { formula: 'stuck' }));
    await deliver(specOf(image));
    await reaches({ state: 'Ready' });
    await reaches({ state: 'Pulling' }, 'stuck');
    expect(
      agent?.state.record((await client.get(installResource, 'd1.tool')).metadata.uid ?? ''),
    ).toMatchObject({ active: { revision: 1 } });
  });

  test('an image without a signature, or with that of a stranger, is never started', async () => {
    await start();
    await deliver(specOf(await images.push('bare', 'echo bare', { signer: 'none' })));
    await reaches({ state: 'Failed', error: { code: 'signature_missing' } });
    const stranger = createImageSigner(newImageKeyPem(), { name: 'stranger' });
    const foreign = await images.push('foreign', 'echo foreign', { signer: stranger });
    await deliver(specOf(foreign, { revision: 2 }));
    await reaches({ state: 'Failed', error: { code: 'signature_invalid' } });
    expect(await agent?.runtime.list()).toEqual([]);
  });

  test('an image that is here already is not started once its key is not trusted any more', async () => {
    const old = createImageSigner(newImageKeyPem(), { name: 'old' });
    const both = fixedTrust(testSigner.publicKeyPem, old.publicKeyPem);
    await start({ trust: both });
    const image = await images.push('old', 'echo old', { signer: old });
    await deliver(specOf(image));
    await reaches({ state: 'Ready' });
    await stop();
    // The registry is away, too: what is known of the image here has to do.
    source = {
      manifest: () => Promise.reject(new TaplineError('registry_unreachable', 'nobody there')),
      referrers: () => Promise.reject(new TaplineError('registry_unreachable', 'nobody there')),
      blob: (...given) => registryClient.blob(...given),
    };
    await start({ trust: both });
    await deliver(specOf(image, { revision: 2 }));
    await reaches({ state: 'Ready', observedRevision: 2 });
    await stop();
    source = registryClient;
    await start();
    await deliver(specOf(image, { revision: 3 }));
    await reaches({ error: { code: 'signature_invalid' } });
    expect((await status())?.active?.revision).toBe(2);
  });
});

function abortOf(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}

function notRunning(): never {
  throw new Error('the agent does not run');
}
