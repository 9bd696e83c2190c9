import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ApiObject,
  deliveryResource,
  deviceResource,
  findCondition,
  type Install,
  installResource,
  type Package,
  packageResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { expect } from 'vitest';
import type { DeviceProcess } from './device-process.ts';
import type { System } from './start-system.ts';

/** What is delivered again and again: a program to keep running. */
export const formula = 'bash';
const program = ['bash', '-c', 'echo begins; while :; do read -t 60 <> <(:); done'];

/** A moment of a delivery, as it can be seen from outside. */
export type Moment =
  | 'resolving'
  | 'building'
  | 'published'
  | 'notified'
  | 'pulling'
  | 'pulled'
  | 'unpacked'
  | 'started'
  | 'ready';

/** A delivery to the only device of a system, looked at, taken back and begun again. */
export interface ColdDelivery {
  begin(): Promise<void>;
  /** Waits for the moment, as long as it may come; whether it came. */
  until(moment: Moment, withinMs?: number): Promise<boolean>;
  /** Waits for the end of the delivery, which must be as if nothing had happened. */
  converges(): Promise<void>;
  /** Deletes it; the device must then be as it was before. */
  takeBack(): Promise<void>;
  /** No half-done piece of work is left anywhere. */
  isConsistent(): void;
}

export function coldDelivery(system: System, device: DeviceProcess): ColdDelivery {
  const { client, data } = system.controlPlane;
  const images = join(device.data, 'images');
  const name = `${device.name}.${formula}`;

  function packageNow(): Promise<Package | undefined> {
    return client.get(packageResource, formula).catch(() => undefined);
  }

  function installNow(): Promise<Install | undefined> {
    return client.get(installResource, name).catch(() => undefined);
  }

  async function condition(type: string, reasons: readonly string[]): Promise<boolean> {
    const found = findCondition((await packageNow())?.status?.conditions, type);
    return found !== undefined && reasons.includes(found.reason);
  }

  const moments: Readonly<Record<Moment, () => Promise<boolean> | boolean>> = {
    resolving: () => condition('Resolved', ['Resolving']),
    building: () => condition('Built', ['Building']),
    published: () => condition('Published', ['Published']),
    notified: async () => (await installNow()) !== undefined,
    // Too late for it counts, too: a layer may take less than the time between two looks.
    pulling: () => ['partial', 'rootfs'].some((folder) => files(join(images, folder)).length > 0),
    pulled: () => files(join(images, 'layers')).length > 1,
    unpacked: () => files(join(images, 'rootfs')).length > 0,
    started: () => device.containers().length > 0,
    ready: async () => (await installNow())?.status?.state === 'Ready',
  };

  /** What the delivery left on the device and of its Install. */
  async function left(): Promise<readonly string[]> {
    return [
      ...((await installNow()) === undefined ? [] : [name]),
      ...device.containers().map(({ id }) => id),
      ...['layers', 'rootfs', 'images'].flatMap((folder) => files(join(images, folder))),
      ...files(join(device.data, 'runtime', 'containers')),
      ...files(join(device.data, 'runtime', 'bundles')),
    ];
  }

  /**
   * The log is whole, and the last writes of the objects stand in it: also those that a kill kept from
   * being answered, which the next start finds.
   */
  async function auditHasEveryObject(): Promise<void> {
    const kinds = [deliveryResource, deviceResource, installResource, packageResource] as const;
    const lists = await Promise.all(kinds.map((kind) => client.list(kind)));
    const audit = readFileSync(join(data, 'audit', 'audit.jsonl'), 'utf8');
    const written = new Set(
      audit
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { readonly name?: string; readonly after?: string })
        .map((entry) => `${entry.name} ${entry.after}`),
    );
    const unaudited = lists
      .flatMap(({ items }): readonly ApiObject[] => items)
      .map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
      .filter((write) => !written.has(write));
    expect(unaudited).toEqual([]);
  }

  return {
    async begin() {
      const words = ['deploy', formula, '--to', 'all', '--', ...program];
      expect(await system.tapline(words)).toMatchObject({ code: 0 });
    },
    async until(moment, withinMs = 15_000) {
      const end = performance.now() + withinMs;
      while (performance.now() < end) {
        if (await moments[moment]()) return true;
        // It came and went between two looks, or while who is killed was away.
        if (await moments[laterThan(moment)]()) return await moments[moment]();
        await delay(2);
      }
      return false;
    },
    async converges() {
      const delivery = await eventually('the delivery is ready', async () => {
        const found = await client.get(deliveryResource, formula);
        const { conditions, observedGeneration } = found.status ?? {};
        if (observedGeneration !== found.metadata.generation) return undefined;
        return findCondition(conditions, 'Ready')?.status === 'True' ? found : undefined;
      });
      expect(delivery.status).toMatchObject({
        revision: 1,
        counts: { desired: 1, ready: 1, failed: 0 },
      });
      expect(await installNow()).toMatchObject({
        spec: { revision: 1 },
        status: { state: 'Ready', observedRevision: 1, active: { revision: 1 } },
      });
      // One program, however often who started it died.
      await eventually('one program runs', () => {
        const [only, ...others] = device.containers();
        return only?.status === 'running' && others.length === 0;
      });
      await auditHasEveryObject();
    },
    async takeBack() {
      expect(await system.tapline(['delete', 'delivery', formula])).toMatchObject({ code: 0 });
      try {
        await eventually('the device is as it was', async () => (await left()).length === 0);
      } catch (cause) {
        throw new Error(`left on the device: ${(await left()).join(', ')}`, { cause });
      }
    },
    isConsistent() {
      const halfDone = [
        join(images, 'partial'),
        join(images, 'rootfs-partial'),
        join(device.data, 'runtime', 'foreground'),
        join(data, 'registry', 'content', 'partial'),
      ];
      for (const folder of halfDone) expect(files(folder), folder).toEqual([]);
    },
  };
}

/** Where this has come, that one comes no more. */
function laterThan(moment: Moment): Moment {
  return moment === 'resolving' || moment === 'building' ? 'published' : 'ready';
}

function files(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there yet.
    return [];
  }
}
