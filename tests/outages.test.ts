import { setTimeout as delay } from 'node:timers/promises';
import {
  type Delivery,
  deliveryResource,
  findCondition,
  type Install,
  installResource,
  packageResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemUnavailable } from './support/requirements.ts';
import { startSystem, type System } from './support/start-system.ts';

const unavailable = await systemUnavailable();

describe.skipIf(unavailable !== undefined)(`an outage ${unavailable ?? ''}`, () => {
  async function isReady(system: System, name: string): Promise<Delivery | undefined> {
    const delivery = await system.controlPlane.client.get(deliveryResource, name);
    const ready = findCondition(delivery.status?.conditions, 'Ready')?.status === 'True';
    return ready && delivery.status?.observedGeneration === delivery.metadata.generation
      ? delivery
      : undefined;
  }

  test(
    'of the mirror is waited for, with the reason; then it converges',
    { timeout: 90_000 },
    async () => {
      await using system = await startSystem({ devices: ['edge-1'] });
      await system.mirror.stop();
      expect(await system.tapline(['deploy', 'jq', '--to', 'all'])).toMatchObject({ code: 0 });
      const says = /formula\.jws\.json did not answer in \d+ attempts: [^:]*ECONNREFUSED/;
      const waiting = await eventually('the package says why', async () => {
        const { status } = await system.controlPlane.client.get(packageResource, 'jq');
        return status?.error?.code === 'homebrew_unreachable' ? status : undefined;
      });
      expect(findCondition(waiting.conditions, 'Resolved')).toMatchObject({
        status: 'False',
        reason: 'HomebrewUnreachable',
        message: expect.stringMatching(says),
      });
      const late = await system.tapline(['deploy', 'jq', '--wait', '--timeout', '1s']);
      expect(late).toMatchObject({ code: 5, err: expect.stringMatching(says) });
      const explained = await system.tapline(['explain', 'delivery', 'jq']);
      expect(explained).toMatchObject({ code: 0, out: expect.stringMatching(says) });
      await system.mirror.start();
      await eventually('it converges', () => isReady(system, 'jq'), { withinMs: 60_000 });
      const { status } = await system.controlPlane.client.get(packageResource, 'jq');
      expect(status?.error).toBeUndefined();
      // What is published needs no mirror any more.
      await system.mirror.stop();
      const again = await system.tapline(['deploy', 'jq', '--wait', '--timeout', '30s']);
      expect(again).toMatchObject({ code: 0 });
    },
  );

  describe('of the control plane', () => {
    // One system for all three, and a package for each: cold for its outage.
    let system: System;
    beforeAll(async () => {
      system = await startSystem({
        devices: ['edge-1', 'edge-2'],
        formulae: ['jq', 'bash', 'tree'],
      });
    }, 120_000);
    afterAll(() => system?.[Symbol.asyncDispose](), 60_000);

    async function installsOf(formula: string): Promise<readonly Install[]> {
      const { items } = await system.controlPlane.client.list(installResource, {});
      return items.filter(({ spec }) => spec.formula === formula);
    }

    async function deploy(formula: string): Promise<void> {
      expect(await system.tapline(['deploy', formula, '--to', 'all'])).toMatchObject({ code: 0 });
      await eventually('devices fetch', async () => (await installsOf(formula)).length === 2);
    }

    test('silent for a while, delays a delivery and no more', { timeout: 90_000 }, async () => {
      const { controlPlane } = system;
      await deploy('jq');
      controlPlane.signal('SIGSTOP');
      // Long enough for keepalives to go unanswered, and for requests to be given up.
      await delay(10_000);
      controlPlane.signal('SIGCONT');
      await eventually('it converges', () => isReady(system, 'jq'));
      const all = await installsOf('jq');
      expect(all.map(({ status }) => status?.state)).toEqual(['Ready', 'Ready']);
    });

    test('killed and back later, delays a delivery and no more', { timeout: 90_000 }, async () => {
      const { controlPlane } = system;
      await deploy('bash');
      await controlPlane.kill();
      const cut = await system.tapline(['get', 'deliveries']);
      expect(cut).toMatchObject({
        code: 6,
        out: '',
        err: expect.stringMatching(/127\.0\.0\.1:\d+/),
      });
      await delay(1000);
      await controlPlane.start();
      await eventually('it converges', () => isReady(system, 'bash'));
      // Reports travel apart from the session, which may be later.
      await eventually('the device is reached again', async () => {
        const used = await system.tapline(['exec', 'edge-2.jq', '--', 'jq', '--version']);
        return used.code === 0 && used.out === 'jq-1.6\n';
      });
    });

    test('is survived by whoever waits for a delivery', { timeout: 90_000 }, async () => {
      const words = ['deploy', 'tree', '--to', 'all', '--wait', '--timeout', '60s'];
      const waiting = system.tapline(words);
      await eventually('it is accepted', async () => {
        const { items } = await system.controlPlane.client.list(deliveryResource);
        return items.some(({ metadata }) => metadata.name === 'tree');
      });
      await system.controlPlane.kill();
      await delay(500);
      await system.controlPlane.start();
      expect(await waiting).toMatchObject({
        code: 0,
        out: expect.stringContaining('is ready on 2 devices'),
      });
    });
  });
});
