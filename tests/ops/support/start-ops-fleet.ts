import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  findCondition,
  channelResource,
  playbookResource,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import {
  type RunningIcinga,
  startIcinga,
} from '../../../packages/monitoring/src/testing/start-icinga.ts';
import { type ChannelSystem, startChannelSystem } from '../../channels/start-channel-system.ts';
import { checkCommand, checkerKubeconfig } from '../../support/icinga-checks.ts';
import { describeOps } from './describe-ops.ts';
import { freePort, startAlertmanager, startPrometheus } from '../../support/start-prometheus.ts';
import { ownedFolder } from '../../support/owned-folder.ts';
import { runTapline } from '../../support/run-tapline.ts';

/** A small fleet that a real Icinga 2 and a real Prometheus watch, and OpsBot looks after. */
export interface OpsFleet extends AsyncDisposable {
  readonly system: ChannelSystem;
  readonly icinga: RunningIcinga;
  /** Address of its Prometheus. */
  readonly prometheus: string;
  remediations(): Promise<readonly Remediation[]>;
  /** The newest of a playbook about a target, once that is so. */
  until(
    what: string,
    of: { readonly playbook: string; readonly target: string },
    done: (remediation: Remediation) => boolean,
  ): Promise<Remediation>;
  changePlaybook(name: string, spec: object): Promise<void>;
  /** Notes each status of a condition of a channel with when it was seen, until disposed. */
  follow(channel: string, type: string): AsyncDisposable & { readonly seen: readonly Seen[] };
}

export interface Seen {
  readonly status: string;
  readonly atMs: number;
}

const withinMs = 90_000;

/** Writes the file by which a control plane finds an Icinga; answers its path. */
export async function monitoringFile(
  folder: string,
  icinga: RunningIcinga,
  /** Lines of `icinga` more. */
  more = '',
): Promise<string> {
  const { login, caPem, url } = icinga.endpoint;
  await writeFile(join(folder, 'ca.crt'), caPem);
  await writeFile(join(folder, 'password'), login.kind === 'password' ? login.password : '');
  const path = join(folder, 'monitoring.yaml');
  await writeFile(
    path,
    `icinga:
  url: ${url}
  caFile: ca.crt
  serverName: localhost
  login: { username: tapline, password: { file: password } }
${more}`,
  );
  return path;
}

export async function startOpsFleet(names: readonly string[]): Promise<OpsFleet> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await ownedFolder());
  const icinga = opened.use(await startIcinga());
  // What Icinga runs by itself, as a user of its own.
  const command = await checkCommand(folder.path);
  const checker = join(folder.path, 'checker.kubeconfig');
  const checks = `  checks: { command: ${command}, kubeconfig: ${checker}, everySeconds: 30 }\n`;
  const system = opened.use(
    await startChannelSystem(names, {
      env: {
        TAPLINE_OPSBOT: 'on',
        TAPLINE_MONITORING_CONFIG: await monitoringFile(folder.path, icinga, checks),
      },
    }),
  );
  const { controlPlane } = system;
  const { client } = controlPlane;
  await checkerKubeconfig(controlPlane.kubeconfig, checker);
  await eventually(
    'Icinga is followed',
    async () => {
      const { out } = await system.tapline(['monitor', 'status']);
      return /, 0 with something to do\nfollowed since/.test(out);
    },
    { withinMs },
  );
  const ports = { prometheus: await freePort(), alertmanager: await freePort() };
  const at = (name: string): string => join(folder.path, name);
  const host = new URL(controlPlane.url).host;
  const site = ['--site', 'here', '--control-plane', host, '--interval', '1s'];
  const target = ['--alertmanager', `127.0.0.1:${ports.alertmanager}`];
  const words = ['monitor', 'prometheus', folder.path, ...site, ...target];
  const written = await runTapline(words);
  if (written.code !== 0) throw new Error(written.err);
  const pem = await readFile(join(controlPlane.data, 'ca', 'ca.pem'), 'utf8');
  await writeFile(at('ca.pem'), /-----BEGIN CERT[^]*?END CERTIFICATE-----\n/.exec(pem)?.[0] ?? '');
  for (const [file, group] of [
    ['token', 'tapline:viewer'],
    ['ops-token', 'tapline:alertmanager'],
  ] as const) {
    const made = await system.tapline(['token', 'create', '--user', file, '--group', group]);
    await writeFile(at(file), made.out.trim());
  }
  // How long an alert has to last is promtool's to test.
  const rules = await readFile(at('site.rules.yaml'), 'utf8');
  await writeFile(at('site.rules.yaml'), rules.replaceAll(/for: \d+m/g, 'for: 2s'));
  await writeFile(
    at('alertmanager.yaml'),
    `route: { receiver: opsbot, group_by: [alertname, channel], group_wait: 0s, group_interval: 1s }
receivers:
  - name: opsbot
    webhook_configs:
      - url: ${controlPlane.url}/ops/v1/alerts
        send_resolved: true
        http_config:
          authorization: { type: Bearer, credentials_file: ${at('ops-token')} }
          tls_config: { ca_file: ${at('ca.pem')} }
`,
  );
  opened.use(await startAlertmanager(folder.path, ports.alertmanager));
  opened.use(await startPrometheus(folder.path, ports.prometheus));

  const remediations = async (): Promise<readonly Remediation[]> =>
    (await client.list(remediationResource)).items;
  const owned = opened.move();
  return {
    system,
    icinga,
    prometheus: `http://127.0.0.1:${ports.prometheus}`,
    remediations,
    async until(what, of, done) {
      try {
        return await eventually(
          what,
          async () => {
            const [newest] = (await remediations())
              .filter(({ spec }) => spec.playbook === of.playbook && spec.target.name === of.target)
              .toSorted((a, b) => (createdAt(a) < createdAt(b) ? 1 : -1));
            return newest !== undefined && done(newest) ? newest : undefined;
          },
          { withinMs },
        );
      } catch (cause) {
        throw new Error(`${what}: ${await describeOps(client)}`, { cause });
      }
    },
    async changePlaybook(name, spec) {
      await client.patch(playbookResource, name, { kind: 'merge', body: { spec } });
    },
    follow(channel, type) {
      const seen: Seen[] = [];
      const stop = new AbortController();
      const following = (async () => {
        for await (const event of client.watch(channelResource, { signal: stop.signal })) {
          if (event.kind !== 'added' && event.kind !== 'modified') continue;
          if (event.object.metadata.name !== channel) continue;
          const status = findCondition(event.object.status?.conditions, type)?.status ?? 'Unknown';
          if (seen.at(-1)?.status !== status) seen.push({ status, atMs: performance.now() });
        }
      })().catch(() => undefined);
      return {
        seen,
        async [Symbol.asyncDispose]() {
          stop.abort();
          await following;
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function createdAt({ metadata }: Remediation): string {
  return metadata.creationTimestamp ?? '';
}
