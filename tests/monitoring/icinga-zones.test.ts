import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createIcingaClient, parseIcingaName } from '@tapline/monitoring';
import { eventually, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import {
  freePort,
  type IcingaPlace,
  icingaUnavailable,
  startIcinga,
} from '../../packages/monitoring/src/testing/start-icinga.ts';
import { startControlPlaneProcess } from '../support/control-plane-process.ts';
import { checkCommand, checkerKubeconfig } from '../support/icinga-checks.ts';
import { startDeviceProcess } from '../support/device-process.ts';
import { runTapline } from '../support/run-tapline.ts';

// By command: two Icingas beside a control plane and a device.
const unavailable =
  process.env['TAPLINE_LONG_TESTS'] === undefined
    ? '(needs TAPLINE_LONG_TESTS=1)'
    : icingaUnavailable();
const within = { withinMs: 90_000 };

/** A master and the satellite of a site, as each of them is told of both. */
async function twoPlaces(): Promise<readonly [IcingaPlace, IcingaPlace]> {
  const ports = { master: await freePort(), satellite: await freePort() };
  const zones = (own: 'master' | 'satellite'): string => {
    const at = (of: 'master' | 'satellite'): string =>
      of === own ? '{ }' : `{ host = "127.0.0.1"; port = ${ports[of]} }`;
    return `object Endpoint "master" ${at('master')}
object Endpoint "satellite" ${at('satellite')}
object Zone "top" { endpoints = [ "master" ] }
object Zone "site-a" { endpoints = [ "satellite" ]; parent = "top" }
object Zone "global-templates" { global = true }`;
  };
  return [
    { name: 'master', port: ports.master, zones: zones('master') },
    { name: 'satellite', port: ports.satellite, zones: zones('satellite') },
  ];
}

describe.skipIf(unavailable !== undefined)(`a zone with a satellite ${unavailable ?? ''}`, () => {
  test(
    'hosts are the satellite’s, it runs their checks, and results and events come through the master',
    { timeout: 240_000 },
    async () => {
      await using folder = await temporaryFolder();
      const [first, second] = await twoPlaces();
      await using master = await startIcinga(first);
      await using satellite = await startIcinga({ ...second, authority: master.folder });
      const { login, caPem, url } = master.endpoint;
      const at = (name: string): string => join(folder.path, name);
      await writeFile(at('ca.crt'), caPem);
      await writeFile(at('password'), login.kind === 'password' ? login.password : '');
      const command = await checkCommand(folder.path);
      await writeFile(
        at('monitoring.yaml'),
        `icinga:
  url: ${url}
  caFile: ca.crt
  serverName: master
  login: { username: tapline, password: { file: password } }
  zone: site-a
  globalZone: global-templates
  checks: { command: ${command}, kubeconfig: ${at('checker.kubeconfig')}, everySeconds: 10 }
`,
      );
      await using plane = await startControlPlaneProcess(folder.path, {
        TAPLINE_MONITORING_CONFIG: at('monitoring.yaml'),
      });
      const env = { TAPLINE_KUBECONFIG: plane.kubeconfig };
      await checkerKubeconfig(plane.kubeconfig, at('checker.kubeconfig'));
      const join1 = await runTapline(['token', 'create'], { env });
      await using device = await startDeviceProcess({
        name: 'edge-1',
        folder: folder.path,
        server: plane.url,
        token: join1.out.trim(),
      });
      expect(device).toBeDefined();

      await using above = createIcingaClient({ endpoint: master.administrator });
      await using below = createIcingaClient({ endpoint: satellite.administrator });
      const services = async (client: typeof above) =>
        new Map(
          (
            await client.objects.query('services', {
              attrs: ['state', 'last_check_result', 'zone'],
              filter: 'host.name == "edge-1"',
            })
          ).map(({ name, attrs }) => [name.split('!')[1] ?? '', attrs] as const),
        );
      const seen = await eventually(
        'the satellite has its checks and has run one',
        async () => {
          const found = await services(below);
          const result = found.get('check-tunnel')?.['last_check_result'];
          return result !== null && result !== undefined ? found : undefined;
        },
        within,
      );
      expect([...seen.keys()].toSorted()).toEqual([
        'certificate',
        'check-certificate',
        'check-tunnel',
        'clock',
        'disk',
        'packages',
        'tunnel',
      ]);
      const ran = await eventually(
        'the master knows what the satellite found',
        async () => {
          const result = (await services(above)).get('check-tunnel')?.['last_check_result'] as
            | {
                check_source: string;
                output: string;
                exit_status: number;
                performance_data: string[];
              }
            | null
            | undefined;
          return result ?? undefined;
        },
        within,
      );
      expect(ran).toMatchObject({ check_source: 'satellite', exit_status: 0 });
      expect(ran.output).toMatch(/^OK: edge-1 answers within /);
      expect(ran.performance_data[0]).toMatch(/^rtt=[\d.]+s;1;5;0$/);
      // What is told to the master is known at the site.
      await eventually(
        'the satellite knows what the control plane told',
        async () => {
          const result = (await services(below)).get('disk')?.['last_check_result'] as
            | { check_source: string }
            | null
            | undefined;
          return result?.check_source === 'default';
        },
        within,
      );
      const status = await eventually(
        'it is followed',
        async () => {
          const { out } = await runTapline(['monitor', 'status'], { env });
          return /, 0 with something to do\nfollowed since/.test(out) ? out : undefined;
        },
        within,
      );
      expect(status).toContain('2 of 2 hosts registered');
      const [host] = await above.objects.query('hosts', {
        attrs: ['zone', 'package'],
        filter: 'host.name == wanted',
        filterVars: { wanted: parseIcingaName('edge-1') },
      });
      expect(host?.attrs['zone']).toBe('site-a');
    },
  );
});
