import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRng, silentLog, systemClock } from '@tapline/base';
import { createRegistryClient } from '@tapline/registry';
import { type InstallImage, installResource, type InstallSpec } from '@tapline/resources';
import { createRuncRuntime, type Runtime } from '@tapline/runtimes';
import {
  bundlePrograms,
  haveProgram,
  startProcess,
  type TemporaryFolder,
  temporaryFolder,
} from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CrashOrder } from './testing/crash-child.ts';
import { startTestControlPlane } from './testing/test-control-plane.ts';
import { createTestImages, type TestImages } from './testing/test-images.ts';
import { testSigner } from './testing/test-signer.ts';

const root = process.getuid?.() === 0 && haveProgram('runc');
const source = fileURLToPath(new URL('testing/crash-child.ts', import.meta.url));

/** `TAPLINE_LONG_TESTS=1 npx vitest run packages/agent/src/crash.test.ts`: at each step, five minutes. */
const long = process.env['TAPLINE_LONG_TESTS'] === '1';
// Steps between one kill and the next: each is two lives of an agent.
const updateStride = long ? 1 : 8;
const failureStride = long ? 1 : 10;
const randomRevisions = long ? 12 : 4;
const timeout = long ? 1_200_000 : 300_000;

describe.skipIf(!root)('an agent that is killed (needs root and runc)', () => {
  let programs: TemporaryFolder;
  beforeAll(async () => {
    programs = await bundlePrograms({ 'crash-child': source });
  });
  afterAll(() => programs[Symbol.asyncDispose]());

  /** Runs an agent until it is done, or dead; what it said. */
  async function life(order: CrashOrder, killAfterMs?: number): Promise<string> {
    const child = join(programs.path, 'crash-child.js');
    const agent = await startProcess(process.execPath, [child, JSON.stringify(order)]);
    if (killAfterMs !== undefined) {
      await systemClock.sleep(killAfterMs);
      agent.kill('SIGKILL');
    }
    // It lives on after it is done: killed as hard as anywhere else.
    const end = systemClock.monotonic() + 60_000;
    let isDead = false;
    while (!isDead && !agent.output().includes('\n') && systemClock.monotonic() < end) {
      isDead = (await Promise.race([agent.exited, systemClock.sleep(20)])) === null;
    }
    agent.kill('SIGKILL');
    await agent.exited;
    if (isDead || agent.output().includes('\n')) return agent.output();
    const log = await readFile(join(order.folder, 'agent.log'), 'utf8');
    return `no outcome in 60 s of an agent that was to die at step ${order.killAt}:\n${log.slice(-8192)}`;
  }

  async function running(folder: string): Promise<readonly string[]> {
    await using runtime: Runtime = await createRuncRuntime({
      directory: join(folder, 'runtime'),
      clock: systemClock,
      log: silentLog,
    });
    return (await runtime.list()).map(({ labels, status }) => `${labels['revision']} ${status}`);
  }

  interface Scenario {
    /** Asks for a revision; the order for a life that brings it about. */
    readonly want: (revision: number, image: InstallImage) => Promise<CrashOrder>;
    readonly images: TestImages;
    readonly folder: string;
  }

  async function scenario(check: (given: Scenario) => Promise<void>): Promise<void> {
    await using temporary = await temporaryFolder();
    const folder = temporary.path;
    await using plane = await startTestControlPlane(join(folder, 'plane'));
    const { client, admin: tls, url } = plane;
    await using registry = createRegistryClient({ baseUrl: url.origin, tls });

    async function want(revision: number, image: InstallImage): Promise<CrashOrder> {
      const spec: InstallSpec = {
        device: 'd1',
        delivery: 'tool',
        formula: 'tool',
        version: `1.${revision}`,
        revision,
        image,
        run: { command: ['/bin/sh', '-c', 'exec sleep 1000'], restart: 'Always' },
      };
      if (revision === 1) {
        await client.create(installResource, { metadata: { name: 'd1.tool' }, spec });
      } else {
        const patch = { kind: 'merge', body: { spec } } as const;
        await client.patch(installResource, 'd1.tool', patch);
      }
      const { publicKeyPem } = testSigner;
      return { folder, server: url.origin, tls, revision, publicKeyPem, killAt: 0 };
    }

    try {
      await check({ want, folder, images: createTestImages(join(folder, 'build'), registry) });
    } finally {
      await using runtime = await createRuncRuntime({
        directory: join(folder, 'runtime'),
        clock: systemClock,
        log: silentLog,
      });
      for (const { id } of await runtime.list()) await runtime.remove(id);
    }
  }

  test('at any step of an update ends up where it should be', { timeout }, async () => {
    await scenario(async ({ want, images, folder }) => {
      let revision = 1;
      expect(await life(await want(revision, await images.push('r1', 'echo 1')))).toMatch(
        'Ready 1',
      );
      for (let killAt = 1; ; killAt += updateStride) {
        revision += 1;
        const wanted = await want(revision, await images.push(`r${revision}`, `echo ${revision}`));
        const first = await life({ ...wanted, killAt });
        expect(await life(wanted)).toMatch(`Ready ${revision}`);
        expect(await running(folder)).toEqual([`${revision} running`]);
        if (first === '') continue;
        // It got to its end before the mine: there is no later step.
        expect(killAt).toBeGreaterThan(20);
        return;
      }
    });
  });

  test('at any step of a failing update goes back to the last good one', { timeout }, async () => {
    await scenario(async ({ want, images, folder }) => {
      const good = await images.push('good', 'echo good');
      const bad = await images.push('bad', 'exit 1');
      expect(await life(await want(1, good))).toMatch('Ready 1');
      for (let killAt = 2, revision = 2; ; killAt += failureStride, revision += 1) {
        const wanted = await want(revision, bad);
        const first = await life({ ...wanted, killAt });
        expect(await life(wanted)).toMatch(`RolledBack 1`);
        expect(await running(folder)).toEqual(['1 running']);
        if (first === '') continue;
        // It got to its end before the mine: there is no later step.
        expect(killAt).toBeGreaterThan(20);
        return;
      }
    });
  });

  test('at random moments ends up where it should be', { timeout }, async () => {
    const rng = seededRng(20_261_121);
    await scenario(async ({ want, images, folder }) => {
      for (let revision = 1; revision <= randomRevisions; revision += 1) {
        const wanted = await want(revision, await images.push(`r${revision}`, `echo ${revision}`));
        for (let kills = 0; kills < 2; kills += 1) await life(wanted, 150 + rng() * 600);
        expect(await life(wanted)).toMatch(`Ready ${revision}`);
        expect(await running(folder)).toEqual([`${revision} running`]);
      }
    });
  });
});
