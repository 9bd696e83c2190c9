import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, startProcess, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBottleMirror } from '../../tools/bottle-mirror/bottle-mirror.ts';
import { type DeviceProcess, startDeviceProcess } from '../support/device-process.ts';
import { type CommandResult, taplineMain } from '../support/run-tapline.ts';
import { platform } from '../support/start-system.ts';
import { buildVpn, type Transport, type Vpn } from './build-vpn.ts';
import { openInwardDoor } from './inward-door.ts';
import { vpnUnavailable } from './vpn-unavailable.ts';

const unavailable = await vpnUnavailable();
const port = 7443;
const program = ['bash', '-c', 'echo begins; while :; do read -t 60 <> <(:); done'];

interface Report {
  readonly findings: readonly {
    readonly code: string;
    readonly level: string;
    readonly details: Readonly<Record<string, string | number>>;
  }[];
}

describe.skipIf(unavailable !== undefined)(
  `through an AnyConnect VPN, with ocserv and openconnect ${unavailable ?? ''}`,
  () => {
    const system = new AsyncDisposableStack();
    let folder: string;
    let vpn: Vpn;
    let url: string;

    beforeAll(async () => {
      ({ path: folder } = system.use(await temporaryFolder()));
      // As on a device, where containers in user namespaces have to pass through it.
      await chmod(folder, 0o711);
      vpn = system.use(await buildVpn(folder));
      url = `https://${vpn.insideAddress}:${port}`;
      const mirror = system.use(
        await startBottleMirror({ formulae: ['bash'], platforms: [platform] }),
      );
      const mirrorPort = Number(new URL(mirror.url).port);
      system.use(await openInwardDoor(vpn.inside, { port: mirrorPort, folder }));
      const data = join(folder, 'control-plane');
      const listen = `${vpn.insideAddress}:${port}`;
      system.use(
        await startProcess(
          'nsenter',
          [
            `--net=/run/netns/${vpn.inside}`,
            process.execPath,
            taplineMain,
            'up',
            '--data',
            data,
            '--listen',
            listen,
          ],
          {
            readyLine: /ready at (https:\S+)/,
            readyWithinMs: 40_000,
            env: { ...mirror.environment, XDG_CONFIG_HOME: join(folder, 'config') },
          },
        ),
      );
    }, 90_000);
    afterAll(() => system.disposeAsync(), 60_000);

    /** Runs a command of the command line in one of the namespaces. */
    async function tapline(
      namespace: string,
      words: readonly string[],
    ): Promise<Pick<CommandResult, 'code' | 'out' | 'err'>> {
      const child = spawn(
        'nsenter',
        [`--net=/run/netns/${namespace}`, process.execPath, taplineMain, ...words],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: {
            ...process.env,
            XDG_CONFIG_HOME: join(folder, 'config'),
            TAPLINE_KUBECONFIG: join(folder, 'control-plane', 'admin.kubeconfig'),
          },
          timeout: 60_000,
          killSignal: 'SIGKILL',
        },
      );
      let out = '';
      let err = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, out, err };
    }

    async function administrator(...words: readonly string[]): Promise<string> {
      const { code, out, err } = await tapline(vpn.inside, words);
      if (code !== 0) throw new Error(`tapline ${words.join(' ')}: ${err}`);
      return out.trim();
    }

    /** What the doctor finds on the device's way to the control plane, by code. */
    async function doctor(
      ...words: readonly string[]
    ): Promise<ReadonlyMap<string, Report['findings'][number]>> {
      const { out, err } = await tapline(vpn.device, ['doctor', ...words, '-o', 'json']);
      if (out === '') throw new Error(err);
      const { findings } = JSON.parse(out) as Report;
      return new Map(findings.map((finding) => [finding.code, finding]));
    }

    async function joinDevice(name: string): Promise<DeviceProcess> {
      return await startDeviceProcess({
        name,
        folder,
        server: url,
        token: await administrator('token', 'create'),
        labels: [`on=${name}`],
        within: ['nsenter', `--net=/run/netns/${vpn.device}`],
      });
    }

    test.each<readonly [Transport, string]>([
      ['dtls', 'tunnel_datagrams'],
      ['tls', 'tunnel_tcp_in_tcp'],
    ])(
      'over %s a device enrols and gets a delivery, logs and exec',
      async (transport, tunnel) => {
        const before = await doctor(url, '--data', join(folder, 'nobody'));
        expect([...before.keys()]).toContain('unreachable');
        await using opened = new AsyncDisposableStack();
        opened.use(await vpn.connect(transport));
        const name = `pad-${transport}`;
        const device = opened.use(await joinDevice(name));
        const deploy = ['deploy', 'bash', '--name', name, '--to', `on=${name}`, '--wait'];
        const delivered = await administrator(...deploy, '--', ...program);
        expect(delivered).toContain('is ready on 1 device');
        const exec = ['exec', `${name}.bash`, '--', 'bash', '-c', 'echo over $0', transport];
        expect(await administrator(...exec)).toBe(`over ${transport}`);
        await eventually('it has printed', async () => {
          return (await administrator('logs', `${name}.bash`)) === 'begins';
        });
        const found = await doctor('--data', device.data);
        expect([...found.keys()]).toEqual([
          'name_is_address',
          'reached',
          'server_certificate_ok',
          'clock_ok',
          tunnel,
          'path_mtu_ok',
          'device_certificate_ok',
        ]);
        expect(found.get(tunnel)?.details).toMatchObject({ device: 'oc0', program: 'openconnect' });
        const { pathMtu } = found.get('path_mtu_ok')?.details ?? {};
        expect(pathMtu).toBeGreaterThan(1280);
        expect(pathMtu).toBeLessThan(1500);
        await administrator('delete', 'delivery', name);
      },
      90_000,
    );
  },
);
