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
import { startCollector } from '../support/start-collector.ts';
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
      await using folder = await temporaryFolder();
      await using collector = await startCollector();
      const portA = await freePort();
      const monitoring = {
        prometheus: { remoteWrite: { url: `http://127.0.0.1:${portA}/api/v1/write` } },
        otlp: { url: `${collector.url}/v1/traces` },
      };
      const monitoringFile = join(folder.path, 'monitoring.json');
      await writeFile(monitoringFile, JSON.stringify(monitoring));
      await using system = await startSystem({
        formulae: ['jq'],
        env: { TAPLINE_MONITORING_CONFIG: monitoringFile, TAPLINE_OPSBOT: 'on' },
      });
      // Behind NAT: nobody reaches it, and it has a tunnel.
      await system.addDevice({ name: 'edge-1', flags: ['--push-metrics', '1s'] });
      await using other = await startControlPlaneProcess(join(folder.path, 'b-plane'), {});
      const at = (...parts: string[]): string => join(folder.path, ...parts);
      const [portB, portTop, portAlerts] = await Promise.all([freePort(), freePort(), freePort()]);
      await using alerts = await collectAlerts();

      async function writeSite(
        site: string,
        plane: { readonly url: string; readonly data: string },
      ) {
        const words = ['--site', site, '--control-plane', new URL(plane.url).host];
        const target = ['--alertmanager', `127.0.0.1:${portAlerts}`, '--webhook', alerts.url];
        const ops = ['--ops-token-file', 'ops-token'];
        const written = await runTapline([
          'monitor',
          'prometheus',
          at(site),
          ...words,
          ...target,
          ...ops,
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
        const notifier = ['--user', 'alertmanager', '--group', 'tapline:alertmanager'];
        const opsToken = await runTapline(['token', 'create', ...notifier], { env: kubeconfig });
        await writeFile(at(site, 'ops-token'), opsToken.out.trim());
      }
      await writeSite('site-a', system.controlPlane);
      await writeSite('site-b', other);
      // The minute of the rule is promtool's to test.
      const text = await readFile(at('site-b', 'site.rules.yaml'), 'utf8');
      await writeFile(at('site-b', 'site.rules.yaml'), text.replaceAll('for: 1m', 'for: 1s'));
      const sites = [`site-a=127.0.0.1:${portA}`, `site-b=127.0.0.1:${portB}`];
      const over = sites.flatMap((site) => ['--federate', site]);
      await runTapline(['monitor', 'prometheus', at('global'), '--interval', '1s', ...over]);
      for (const file of ['alertmanager.yaml', 'ca.pem', 'ops-token']) {
        await copyFile(at('site-a', file), at(file));
      }
      await using alertmanager = await startAlertmanager(folder.path, portAlerts);
      await using siteA = await startPrometheus(at('site-a'), portA, [
        '--web.enable-remote-write-receiver',
        '--enable-feature=exemplar-storage',
      ]);
      await using siteB = await startPrometheus(at('site-b'), portB);
      await using top = await startPrometheus(at('global'), portTop);
      for (const one of [alertmanager, siteA, siteB, top]) expect(one.pid).toBeGreaterThan(0);

      await eventually('both sites are scraped and federated', async () => {
        const up = await query(portTop, 'site:up:avg{job="tapline-control-plane"} == 1');
        return new Set(up.map(({ labels }) => labels['site'])).size === 2;
      });
      const deployed = await system.tapline(['deploy', 'jq', '--to', 'team=design', '--wait'], {
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
      });
      expect(deployed).toMatchObject({
        code: 0,
        err: expect.stringMatching(/^trace [0-9a-f]{32}$/m),
      });

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

      const bearer = async (file: string) => ({
        ca: await readFile(at('site-a', 'ca.pem')),
        authorization: `Bearer ${await readFile(at('site-a', file), 'utf8')}`,
      });
      // The device's own metrics came through its tunnel, and nobody has scraped it.
      const pushed = await eventually('what the device measured', async () => {
        const found = await query(
          portA,
          'tapline_stage_duration_seconds_count{job="tapline-agents"} == 1',
        );
        return found.length >= 4 ? found : undefined;
      });
      expect(new Set(pushed.map(({ labels }) => labels['instance']))).toEqual(new Set(['edge-1']));
      const info = await query(portA, 'tapline_device_info{instance="edge-1"}');
      expect(info[0]?.labels).toMatchObject({ device: 'edge-1', job: 'tapline-agents' });

      // What is applied goes on as a trace, too; to apply the same again is none of its deliveries.
      const manifest = JSON.stringify({
        apiVersion: 'tapline.dev/v1alpha1',
        kind: 'Delivery',
        metadata: { name: 'applied' },
        spec: {
          package: { formula: 'jq' },
          selector: { matchLabels: { team: 'nobody' } },
          rollout: 1,
        },
      });
      const apply = () =>
        system.tapline(['apply', '-f', '-'], {
          stdin: manifest,
          env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
        });
      const applied = await apply();
      expect(applied).toMatchObject({ code: 0, out: expect.stringContaining('created') });
      const appliedTrace = /^trace ([0-9a-f]{32})$/m.exec(applied.err)?.[1] ?? '';
      const carried = async () =>
        (await client.get(deliveryResource, 'applied')).metadata.annotations;
      expect((await carried())?.['tapline.dev/traceparent']).toContain(appliedTrace);
      await eventually('the apply is a trace', () =>
        collector
          .spans()
          .some(({ name, traceId: id }) => name === 'tapline apply' && id === appliedTrace),
      );
      expect((await apply()).out).toContain('unchanged');
      expect((await carried())?.['tapline.dev/traceparent']).toContain(appliedTrace);

      // One trace from the command to the device, and an exemplar that leads to it.
      const traceId = /^trace ([0-9a-f]{32})$/m.exec(deployed.err)?.[1] ?? '';
      const spans = await eventually('the whole trace', () => {
        const ofTrace = collector.spans().filter((span) => span.traceId === traceId);
        return deliverySpans.every(({ name }) => ofTrace.some((span) => span.name === name))
          ? ofTrace
          : undefined;
      });
      for (const { name, service, parent } of deliverySpans) {
        const found = spans.find((span) => span.name === name);
        expect(found, name).toMatchObject({ service });
        const above = spans.find((span) => span.name === parent);
        expect(found?.parentSpanId, name).toBe(above?.spanId ?? '');
      }
      const exemplars = await eventually('exemplars', async () => {
        const ids = await exemplarTraces(portA, 'tapline_stage_duration_seconds_bucket');
        return ids.size > 0 ? ids : undefined;
      });
      expect(exemplars).toEqual(new Set([traceId]));

      // All that rules and dashboards name is there.
      const shown = await exposition(system.controlPlane.url, await bearer('token'));
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

      // OpsBot has it, too: Alertmanager said who it is. Its token is good for nothing else.
      await eventually('OpsBot was told', async () => {
        const now = await exposition(system.controlPlane.url, await bearer('token'));
        return /^tapline_ops_signals_total\{source="alertmanager"\} [1-9]/m.test(now);
      });
      expect(await exposition(system.controlPlane.url, await bearer('ops-token'))).toContain(
        'forbidden',
      );
      expect(await alertmanagerFailures(portAlerts)).toBe(0);
    },
  );
});

/** Spans of a delivery, who tells of them and below which they are. */
const deliverySpans = [
  { name: 'tapline deploy', service: 'tapline-cli', parent: '' },
  { name: 'accepted', service: 'tapline-cli', parent: 'tapline deploy' },
  { name: 'delivery', service: 'tapline-control-plane', parent: 'tapline deploy' },
  { name: 'resolved', service: 'tapline-control-plane', parent: 'delivery' },
  { name: 'built', service: 'tapline-control-plane', parent: 'delivery' },
  { name: 'published', service: 'tapline-control-plane', parent: 'delivery' },
  { name: 'install', service: 'tapline-control-plane', parent: 'delivery' },
  { name: 'notified', service: 'tapline-control-plane', parent: 'install' },
  { name: 'pulled', service: 'tapline-agent', parent: 'install' },
  { name: 'unpacked', service: 'tapline-agent', parent: 'install' },
  { name: 'started', service: 'tapline-agent', parent: 'install' },
  { name: 'ready', service: 'tapline-agent', parent: 'install' },
] as const;

/** Trace ids of the exemplars that a Prometheus has of a series. */
async function exemplarTraces(port: number, series: string): Promise<ReadonlySet<string>> {
  const url = new URL(`http://127.0.0.1:${port}/api/v1/query_exemplars`);
  const now = Date.now() / 1000;
  url.search = new URLSearchParams({
    query: series,
    start: String(now - 600),
    end: String(now + 60),
  }).toString();
  const answer = (await (await fetch(url)).json()) as {
    readonly data: readonly {
      readonly exemplars: readonly { readonly labels: { readonly trace_id?: string } }[];
    }[];
  };
  const ids = answer.data.flatMap(({ exemplars }) =>
    exemplars.map(({ labels }) => labels.trace_id),
  );
  return new Set(ids.filter((id) => id !== undefined));
}

/** How often an Alertmanager could not tell somebody. */
async function alertmanagerFailures(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const found = /^alertmanager_notifications_failed_total\{integration="webhook"[^}]*\} (\d+)$/m;
  return Number(found.exec(text)?.[1] ?? Number.NaN);
}

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
