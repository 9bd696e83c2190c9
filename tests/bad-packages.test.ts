import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadKubeconfig } from '@tapline/client';
import { createRegistryClient, type RegistryClient } from '@tapline/registry';
import {
  deliveryResource,
  findCondition,
  installResource,
  type Package,
  packageResource,
} from '@tapline/resources';
import { eventually, startProcess } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemUnavailable } from './support/requirements.ts';
import { taplineMain } from './support/run-tapline.ts';
import { platform, startSystem, type System } from './support/start-system.ts';

const unavailable = await systemUnavailable(['runc', 'mount']);

// Each fault is on a formula that no other one of these needs.
const faults = [
  { kind: 'no-bottle', formula: 'git', platform },
  { kind: 'extra-dependency', formula: 'tree', dependency: 'hello' },
  { kind: 'extra-dependency', formula: 'hello', dependency: 'tree' },
  { kind: 'wrong-bytes', formula: 'gawk' },
  { kind: 'truncated', formula: 'bash', bytes: 1000 },
  { kind: 'hostile-entry', formula: 'sqlite', entry: 'path-traversal' },
  { kind: 'hostile-entry', formula: 'coreutils', entry: 'device-node' },
] as const;

describe.skipIf(unavailable !== undefined)(
  `a package that cannot be had ${unavailable ?? ''}`,
  () => {
    let system: System;

    beforeAll(async () => {
      const formulae = ['jq', ...new Set(faults.map(({ formula }) => formula))];
      system = await startSystem({ devices: ['edge-1'], formulae, faults });
    }, 60_000);
    afterAll(() => system[Symbol.asyncDispose](), 60_000);

    /** Nothing of the package is anywhere that a device or the next build could meet it. */
    async function nothingCameOfIt(name: string): Promise<void> {
      const { client } = system.controlPlane;
      const { items } = await client.list(installResource, {});
      expect(items.filter(({ spec }) => spec.delivery === name)).toEqual([]);
      const { status } = await client.get(packageResource, name);
      expect(status?.images).toBeUndefined();
      await using registry = await openRegistry();
      await expect(registry.tags(name)).rejects.toMatchObject({ code: 'name_unknown' });
    }

    async function openRegistry(): Promise<RegistryClient> {
      const { ca, credentials, baseUrl } = await loadKubeconfig(system.controlPlane.kubeconfig);
      if (credentials.kind !== 'certificate')
        throw new Error('the administrator has a certificate');
      const { certificate: cert, key } = credentials;
      return createRegistryClient({
        baseUrl,
        tls: { cert, key, ...(ca === undefined ? {} : { ca }) },
      });
    }

    test.each([
      ['nosuch', 3, 'formula_not_found', /formula nosuch does not exist/],
      ['jqq', 3, 'formula_not_found', /formula jqq does not exist.*did you mean jq\?/s],
      ['jq@9.9', 3, 'version_not_found', /formula jq has no version 9\.9; there is 1\.6/],
      ['git', 1, 'bottle_missing', /formula git has no bottle for linux\/(amd64|arm64)/],
      ['hello', 1, 'cyclic_dependency', /hello → tree → hello/],
      ['sqlite', 1, 'unsafe_tar_entry', /"sqlite\/[^"]+\/\.\.\/\.\.\/\.\.\/\.\.\/escaped"/],
      ['coreutils', 1, 'unsafe_tar_entry', /"coreutils\/[^"]+\/device"/],
    ])(
      '%s: exit code %i, %s',
      async (formula, code, errorCode, says) => {
        const words = ['deploy', formula, '--to', 'team=design', '--wait'];
        const deployed = await system.tapline([...words, '--timeout', '20s']);
        expect(deployed).toMatchObject({ code, out: '', err: expect.stringMatching(says) });
        expect(deployed.err).toContain(`[${errorCode}]`);
        const name = formula.replace('@', '-');
        const { client } = system.controlPlane;
        const { status } = await client.get(packageResource, name);
        expect(status?.error?.code).toBe(errorCode);
        expect(findCondition(status?.conditions, 'Published')?.status).toBe('False');
        const delivery = await client.get(deliveryResource, name);
        expect(findCondition(delivery.status?.conditions, 'Degraded')).toMatchObject({
          status: 'True',
          reason: 'PackageFailed',
        });
        await nothingCameOfIt(name);
      },
      60_000,
    );

    test.each([
      ['gawk', 'digest_mismatch', /has sha256:[0-9a-f]{64}, not sha256:[0-9a-f]{64}/],
      ['bash', 'bottle_truncated', /bottle of bash ended after \d+ of \d+ bytes/],
    ])(
      '%s: waits for a better mirror, and says so (%s)',
      async (formula, errorCode, says) => {
        const words = ['deploy', formula, '--to', 'team=design', '--wait'];
        {
          await using waiting = await startProcess(process.execPath, [taplineMain, ...words], {
            env: system.environment,
            readyLine: says,
          });
          waiting.kill('SIGINT');
          expect(await waiting.exited).toBe(130);
          expect(waiting.output()).toContain('the delivery goes on [interrupted]');
        }
        const { status } = await system.controlPlane.client.get(packageResource, formula);
        expect(status?.error?.code).toBe(errorCode);
        const explained = await system.tapline(['explain', 'delivery', formula]);
        expect(explained).toMatchObject({ code: 0, out: expect.stringMatching(says) });
        await nothingCameOfIt(formula);
        const late = await system.tapline([...words, '--timeout', '1s']);
        expect(late).toMatchObject({ code: 5, err: expect.stringMatching(says) });
        expect(late.err).toContain('[timed_out]');
        expect(await system.tapline(['delete', 'delivery', formula])).toMatchObject({ code: 0 });
      },
      60_000,
    );

    test('a disk that is too small for it is named, with both sizes', async () => {
      const cache = join(system.folder, 'small');
      mkdirSync(cache);
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', cache]);
      expect(mounted.status).toBe(0);
      try {
        const output = join(system.folder, 'layout');
        const words = ['brew2oci', 'jq', '--platform', 'linux/amd64', '--output', output];
        const built = await system.tapline([...words, '--cache', cache]);
        expect(built).toMatchObject({
          code: 1,
          out: '',
          err: expect.stringMatching(
            /needs \d+ bytes .*small\S* has \d+ .*\[insufficient_storage\]/s,
          ),
        });
        expect(existing(output)).toEqual([]);
      } finally {
        spawnSync('umount', [cache]);
      }
    }, 60_000);

    test('an image beyond the quota of a device is refused there, before a byte is fetched', async () => {
      const small = await system.addDevice({
        name: 'small-1',
        flags: ['--quota', '1'],
        labels: ['size=small'],
      });
      const words = ['deploy', 'jq', '--name', 'jq', '--to', 'size=small', '--wait'];
      const deployed = await system.tapline([...words, '--timeout', '30s']);
      expect(deployed).toMatchObject({
        code: 4,
        err: expect.stringMatching(
          /insufficient_storage: 1\d MiB are needed .* 1\.0 MiB are available/,
        ),
      });
      const { client } = system.controlPlane;
      const { status } = await client.get(installResource, 'small-1.jq');
      expect(status).toMatchObject({
        state: 'Failed',
        fetchedBytes: 0,
        error: { code: 'insufficient_storage', hint: expect.stringContaining('quota') },
      });
      expect(existing(join(small.data, 'images', 'layers'))).toEqual([]);
      // The same image has room on another device.
      const wider = await system.tapline(['deploy', 'jq', '--to', 'team=design', '--wait']);
      expect(wider).toMatchObject({ code: 0 });
      await eventually('the install that nothing asks for any more is gone', async () => {
        const { items } = await client.list(installResource, {});
        return items.every(({ spec }) => spec.device !== 'small-1');
      });
    }, 60_000);

    test('none of it kept the good one from being built', async () => {
      const { items } = await system.controlPlane.client.list(packageResource, {});
      const good = items.filter((found: Package) => found.status?.error === undefined);
      expect(good.map(({ metadata }) => metadata.name)).toEqual(['jq']);
    });
  },
);

function existing(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // As good as empty.
    return [];
  }
}
