import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { request as requestTls } from 'node:https';
import { join } from 'node:path';
import { globalRules, siteRules } from '@tapline/monitoring';
import { deliveryResource, installResource, stages } from '@tapline/resources';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { startControlPlaneProcess } from '../support/control-plane-process.ts';
import { metricsIn } from '../support/metrics-in.ts';
import { systemUnavailable } from '../support/requirements.ts';
import { runTapline } from '../support/run-tapline.ts';
import {
  freePort,
  query,
  startAlertmanager,
  startPrometheus,
} from '../support/start-prometheus.ts';
import { startSystem } from '../support/start-system.ts';

const missing = ['prometheus', 'promtool', 'prometheus-alertmanager'].filter(
  (program) => !haveProgram(program),
);
const unavailable =
  missing.length > 0 ? `(needs ${missing.join(', ')})` : await systemUnavailable();

describe.skipIf(unavailable !== undefined)(`three Prometheus servers ${unavailable ?? ''}`, () => {
  test(
    'a delivery is followed to the top, and an alert of a site to who is to know',
    { timeout: 120_000 },
    async () => {
      await using system = await startSystem({ devices: ['edge-1'], formulae: ['jq'] });
      await using folder = await temporaryFolder();
      await using other = await startControlPlaneProcess(join(folder.path, 'b-plane'), {});
      const at = (...parts: string[]): string => join(folder.path, ...parts);
      const [portA, portB, portTop, portAlerts] = await Promise.all([
        freePort(),
        freePort(),
        freePort(),
        freePort(),
      ]);
      await using alerts = await collectAlerts();

      async function writeSite(
        site: string,
        plane: { readonly url: string; readonly data: string },
      ) {
        const words = ['--site', site, '--control-plane', new URL(plane.url).host];
        const target = ['--alertmanager', `127.0.0.1:${portAlerts}`, '--webhook', alerts.url];
        const written = await runTapline([
          'monitor',
          'prometheus',
          at(site),
          ...words,
          ...target,
          '--interval',
          '1s',
        ]);
        expect(written).toMatchObject({ code: 0 });
        const pem = await readFile(join(plane.data, 'ca', 'ca.pem'), 'utf8');
        await writeFile(
          at(site, 'ca.pem'),
          /-----BEGIN CERT[^]*?END CERTIFICATE-----\n/.exec(pem)?.[0] ?? '',
        );
        const kubeconfig = { TAPLINE_KUBECONFIG: join(plane.data, 'admin.kubeconfig') };
        const who = ['--user', 'prometheus', '--group', 'tapline:viewer'];
        const token = await runTapline(['token', 'create', ...who], { env: kubeconfig });
        await writeFile(at(site, 'token'), token.out.trim());
      }
      await writeSite('site-a', system.controlPlane);
      await writeSite('site-b', other);
      // The minute of the rule is promtool's to test.
      const text = await readFile(at('site-b', 'site.rules.yaml'), 'utf8');
      await writeFile(at('site-b', 'site.rules.yaml'), text.replaceAll('for: 1m', 'for: 1s'));
      const sites = [`site-a=127.0.0.1:${portA}`, `site-b=127.0.0.1:${portB}`];
      const over = sites.flatMap((site) => ['--federate', site]);
      await runTapline(['monitor', 'prometheus', at('global'), '--interval', '1s', ...over]);
      await copyFile(at('site-a', 'alertmanager.yaml'), at('alertmanager.yaml'));
      await using alertmanager = await startAlertmanager(folder.path, portAlerts);
      await using siteA = await startPrometheus(at('site-a'), portA);
      await using siteB = await startPrometheus(at('site-b'), portB);
      await using top = await startPrometheus(at('global'), portTop);
      for (const one of [alertmanager, siteA, siteB, top]) expect(one.pid).toBeGreaterThan(0);

      await eventually('both sites are scraped and federated', async () => {
        const up = await query(portTop, 'site:up:avg{job="tapline-control-plane"} == 1');
        return new Set(up.map(({ labels }) => labels['site'])).size === 2;
      });
      const deployed = await system.tapline(['deploy', 'jq', '--to', 'team=design', '--wait']);
      expect(deployed).toMatchObject({ code: 0 });

      // Every stage's time at the top is the one that stands on the objects.
      const { client } = system.controlPlane;
      const { items: installs } = await client.list(installResource);
      const { items: deliveries } = await client.list(deliveryResource);
      expect(deliveries).toHaveLength(1);
      const ofDevice = installs[0]?.status?.stages ?? {};
      const seen = await eventually('stage times at the top', async () => {
        const sums = await query(portTop, 'global:tapline_stage_duration_seconds_sum:sum');
        const byStage = Object.fromEntries(
          sums.map(({ labels, value }) => [labels['stage'], value]),
        );
        return (byStage['ready'] ?? 0) > 0 ? byStage : undefined;
      });
      for (const stage of ['pulled', 'unpacked', 'started', 'ready'] as const) {
        expect(seen[stage], stage).toBeCloseTo(ofDevice[stage] ?? Number.NaN, 6);
      }
      for (const stage of stages) expect(seen[stage], stage).toBeGreaterThan(0);
      const p99 = await eventually('a rate at the top, of the first delivery already', async () => {
        const found = await query(
          portTop,
          'global:tapline_stage_duration_seconds:p99_rate5m{stage="pulled"} > 0',
        );
        return found[0]?.value;
      });
      expect(p99).toBeGreaterThan((ofDevice['pulled'] ?? 0) / 5);
      expect((await query(portTop, 'global:tapline_connected_devices:sum'))[0]?.value).toBe(1);

      // All that rules and dashboards name is there.
      const shown = await exposition(system.controlPlane.url, {
        ca: await readFile(at('site-a', 'ca.pem')),
        authorization: `Bearer ${await readFile(at('site-a', 'token'), 'utf8')}`,
      });
      const known = new Set([...shown.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
      const named = [...siteRules, ...globalRules].flatMap(({ rules }) =>
        rules.flatMap(({ expr }) => metricsIn(expr)),
      );
      expect(named.length).toBeGreaterThan(10);
      expect(named.filter((name) => !known.has(name))).toEqual([]);

      // A site's control plane goes away.
      await other.kill();
      const alert = await eventually('the alert', () =>
        alerts.received.find(({ labels }) => labels['alertname'] === 'TaplineControlPlaneDown'),
      );
      expect(alert).toMatchObject({
        status: 'firing',
        labels: { alertname: 'TaplineControlPlaneDown', site: 'site-b', severity: 'critical' },
        annotations: {
          runbook: 'docs/runbooks/control-plane-down.md',
          dashboard: '/d/tapline-site',
        },
      });
    },
  );
});

/** What the control plane shows to who may see it. */
async function exposition(
  url: string,
  who: { readonly ca: Buffer; readonly authorization: string },
): Promise<string> {
  const headers = { authorization: who.authorization };
  return await new Promise((resolve, reject) => {
    requestTls(new URL('/metrics', url), { ca: who.ca, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

interface Alert {
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Who is to know: takes what Alertmanager sends. */
async function collectAlerts() {
  const received: Alert[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { readonly alerts: Alert[] };
      received.push(...body.alerts);
      response.end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
