import {
  deliveryResource,
  installResource,
  playbookResource,
  type PlaybookSpec,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { systemUnavailable } from '../support/requirements.ts';
import { startSystem } from '../support/start-system.ts';
import { tokenKubeconfig } from './support/token-kubeconfig.ts';

// By command, `npm run chaos`: it builds what it delivers.
const unavailable =
  process.env['TAPLINE_LONG_TESTS'] === undefined
    ? '(needs TAPLINE_LONG_TESTS=1)'
    : await systemUnavailable();
const within = { withinMs: 90_000 };

describe.skipIf(unavailable !== undefined)(`a wave that fails ${unavailable ?? ''}`, () => {
  test(
    'is rolled back to the version before, once a person says so; the twin that fails nowhere is left alone',
    { timeout: 240_000 },
    async () => {
      await using system = await startSystem({
        devices: ['edge-1', 'edge-2'],
        formulae: ['jq', 'bash'],
        env: { TAPLINE_OPSBOT: 'on' },
      });
      const { tapline, controlPlane } = system;
      const { client } = controlPlane;
      const to = ['--to', 'team=design', '--wait'];
      for (const name of ['jq', 'bash']) {
        expect(await tapline(['deploy', name, ...to])).toMatchObject({ code: 0 });
      }
      expect((await client.list(remediationResource)).items).toEqual([]);
      // It needs a newer C library than there is, so its health check fails on each device.
      expect(await tapline(['deploy', 'jq@1.7.1', ...to])).toMatchObject({ code: 4 });
      const asked = await eventually(
        'it waits for a person',
        async () => {
          const { items } = await client.list(remediationResource);
          return items.find(({ status }) => status?.phase === 'AwaitingApproval');
        },
        within,
      );
      expect(asked.spec).toMatchObject({
        playbook: 'failed-delivery',
        target: { kind: 'Delivery', name: 'jq' },
      });
      expect(asked.status?.plan?.map(({ text }) => text)).toEqual([
        'roll delivery jq back from 1.7.1 to 1.6',
      ]);
      const digest = asked.status?.digest?.slice(0, 12) ?? '';
      const { name } = asked.metadata;
      expect(await tapline(['ops', 'approve', name, digest])).toMatchObject({ code: 0 });
      await eventually(
        'it is rolled back',
        async () => (await client.get(remediationResource, name)).status?.phase === 'Succeeded',
        within,
      );
      const { status } = await client.get(deliveryResource, 'jq');
      expect(status?.version).toBe('1.6');
      const { items } = await client.list(installResource);
      const of = items.filter(({ spec }) => spec.delivery === 'jq');
      expect(of.map(({ status: is }) => `${is?.state} ${is?.active?.version}`)).toEqual([
        'Ready 1.6',
        'Ready 1.6',
      ]);
      // Held, and let go again where what comes after it does not help; its twin is not touched.
      const paused: boolean[] = [];
      await client.create(playbookResource, {
        metadata: { name: 'hold' },
        spec: {
          mode: 'Approve',
          on: { alert: { name: 'Never' } },
          target: { kind: 'Delivery' },
          steps: [
            { action: 'pause-delivery' },
            {
              action: 'run-check',
              condition: { type: 'Thawed', status: 'True' },
              timeoutSeconds: 3,
            },
          ],
          verify: { accept: 'Done' },
        } as unknown as PlaybookSpec,
      });
      const words = ['ops', 'request', 'hold', 'delivery/jq', '--reason', 'a test', '-o', 'json'];
      const held = JSON.parse((await tapline(words)).out) as Remediation;
      const heldNow = await eventually(
        'it waits for a person',
        async () => {
          const found = await client.get(remediationResource, held.metadata.name);
          return found.status?.phase === 'AwaitingApproval' ? found : undefined;
        },
        within,
      );
      // By somebody else than who has asked.
      const dana = await tapline([
        'token',
        'create',
        '--user',
        'dana',
        '--group',
        'tapline:approver',
      ]);
      const kubeconfig = await tokenKubeconfig(controlPlane.kubeconfig, {
        path: `${controlPlane.kubeconfig}.dana`,
        token: dana.out.trim(),
      });
      const given = heldNow.status?.digest?.slice(0, 12) ?? '';
      const approval = ['ops', 'approve', held.metadata.name, given, '--kubeconfig', kubeconfig];
      expect(await tapline(approval)).toMatchObject({ code: 0 });
      const taken = await eventually(
        'it is taken back',
        async () => {
          paused.push((await client.get(deliveryResource, 'jq')).spec.paused === true);
          const found = await client.get(remediationResource, held.metadata.name);
          return found.status?.phase === 'Failed' ? found : undefined;
        },
        within,
      );
      expect(paused).toContain(true);
      expect(taken.status?.steps?.map(({ state }) => state)).toEqual(['Undone', 'Failed']);
      expect((await client.get(deliveryResource, 'jq')).spec.paused).not.toBe(true);
      expect((await client.get(deliveryResource, 'bash')).spec.paused).not.toBe(true);
      // Going back again is not the repair of going back.
      expect(await tapline(['ops', 'approve', name, digest])).not.toMatchObject({ code: 0 });
      expect((await client.list(remediationResource)).items).toHaveLength(2);
    },
  );
});
