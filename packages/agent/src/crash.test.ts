import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRng, silentLog, systemClock } from '@tapline/base';
import { createRegistryClient, startRegistry } from '@tapline/registry';
import type { InstallImage, InstallSpec } from '@tapline/resources';
import { createRuncRuntime, type Runtime } from '@tapline/runtimes';
import { haveProgram, startProcess, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import type { CrashOrder } from './crash-child.ts';
import { createTestImages } from './test-images.ts';

const root = process.getuid?.() === 0 && haveProgram('runc');
const child = fileURLToPath(new URL('crash-child.ts', import.meta.url));

describe.skipIf(!root)('an agent that is killed (needs root and runc)', () => {
  /** Runs an agent until it is done, or dead; what it said. */
  async function life(order: CrashOrder, killAfterMs?: number): Promise<string> {
    const process_ = await startProcess(process.execPath, [child, JSON.stringify(order)]);
    if (killAfterMs !== undefined) {
      await systemClock.sleep(killAfterMs);
      process_.kill('SIGKILL');
    }
    // It lives on after it is done: killed as hard as anywhere else.
    while (!process_.output().includes('\n')) {
      if ((await Promise.race([process_.exited, systemClock.sleep(20)])) === null) break;
    }
    process_.kill('SIGKILL');
    await process_.exited;
    return process_.output();
  }

  async function running(folder: string): Promise<readonly string[]> {
    await using runtime: Runtime = await createRuncRuntime({
      directory: join(folder, 'runtime'),
      clock: systemClock,
      log: silentLog,
    });
    return (await runtime.list()).map(({ labels, status }) => `${labels['revision']} ${status}`);
  }

  async function scenario(
    check: (given: {
      readonly order: (
        revision: number,
        image: InstallImage,
        more?: Partial<InstallSpec>,
      ) => CrashOrder;
      readonly images: ReturnType<typeof createTestImages>;
      readonly folder: string;
    }) => Promise<void>,
  ): Promise<void> {
    await using temporary = await temporaryFolder();
    const folder = temporary.path;
    await using registry = await startRegistry({
      directory: join(folder, 'registry'),
      authorize: () => 'allowed',
    });
    await using client = createRegistryClient({ baseUrl: registry.url });
    const uid = randomUUID();
    const order = (
      revision: number,
      image: InstallImage,
      more: Partial<InstallSpec> = {},
    ): CrashOrder => ({
      folder,
      registry: registry.url,
      uid,
      killAt: 0,
      spec: {
        device: 'd1',
        delivery: 'tool',
        formula: 'tool',
        version: `1.${revision}`,
        revision,
        image,
        run: { command: ['/bin/sh', '-c', 'exec sleep 1000'], restart: 'Always' },
        ...more,
      },
    });
    try {
      await check({ order, folder, images: createTestImages(join(folder, 'build'), client) });
    } finally {
      await using runtime = await createRuncRuntime({
        directory: join(folder, 'runtime'),
        clock: systemClock,
        log: silentLog,
      });
      for (const { id } of await runtime.list()) await runtime.remove(id);
    }
  }

  test('at any step of an update ends up where it should be', { timeout: 300_000 }, async () => {
    await scenario(async ({ order, images, folder }) => {
      let revision = 1;
      await life(order(revision, await images.push('r1', 'echo 1')));
      for (let killAt = 1; ; killAt += 3) {
        revision += 1;
        const wanted = order(revision, await images.push(`r${revision}`, `echo ${revision}`));
        const first = await life({ ...wanted, killAt });
        expect(await life(wanted)).toMatch(`Ready ${revision}`);
        expect(await running(folder)).toEqual([`${revision} running`]);
        // It got to its end before the mine: there is no later step.
        if (first !== '') return;
      }
    });
  });

  test(
    'at any step of a failing update goes back to the last good one',
    { timeout: 300_000 },
    async () => {
      await scenario(async ({ order, images, folder }) => {
        const good = await images.push('good', 'echo good');
        const bad = await images.push('bad', 'exit 1');
        await life(order(1, good));
        for (let killAt = 2, revision = 2; ; killAt += 4, revision += 1) {
          const wanted = order(revision, bad);
          const first = await life({ ...wanted, killAt });
          expect(await life(wanted)).toMatch(`RolledBack 1`);
          expect(await running(folder)).toEqual(['1 running']);
          if (first !== '') return;
        }
      });
    },
  );

  test('at random moments ends up where it should be', { timeout: 120_000 }, async () => {
    const rng = seededRng(20_261_121);
    await scenario(async ({ order, images, folder }) => {
      for (let revision = 1; revision <= 6; revision += 1) {
        const wanted = order(revision, await images.push(`r${revision}`, `echo ${revision}`));
        for (let kills = 0; kills < 2; kills += 1) await life(wanted, 300 + rng() * 700);
        expect(await life(wanted)).toMatch(`Ready ${revision}`);
        expect(await running(folder)).toEqual([`${revision} running`]);
      }
    });
  });
});
