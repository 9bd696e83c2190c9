import { createJsonLog, systemRng } from '@tapline/base';
import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { defaultKubeconfigPath } from '../connection/connect.ts';
import { parseListenAddress } from '../connection/listen-address.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, listFlag, textFlag, textFlagWithDefault } from '../framework/flag.ts';

export const up: Command = defineCommand({
  summary: 'Run a control plane: API, registry, gateway and reconcilers in one process',
  description:
    'The first start makes a certificate authority and an administrator; later ones use them. Bottles come from Homebrew, or from where HOMEBREW_API_DOMAIN, HOMEBREW_ARTIFACT_DOMAIN and HOMEBREW_BOTTLE_DOMAIN say; TAPLINE_HOMEBREW_KEY_FILE names the key of a mirror that signs its API itself.',
  examples: [
    { command: 'tapline up', explains: 'on loopback, for this machine' },
    {
      command: 'tapline up --listen 0.0.0.0:7443 --host tapline.example.net',
      explains: 'for devices elsewhere',
    },
    {
      command: 'tapline up --device-page',
      explains: 'with a page in which a browser becomes a device',
    },
  ],
  positionals: [],
  flags: {
    data: textFlag('Where it keeps everything', {
      valueName: 'DIR',
      environment: 'TAPLINE_DATA_DIRECTORY',
    }),
    listen: textFlagWithDefault('Where it listens; port 0 takes a free one', {
      valueName: 'HOST:PORT',
      environment: 'TAPLINE_LISTEN',
      default: '127.0.0.1:7443',
    }),
    host: listFlag('Names and addresses that devices reach it by', { valueName: 'NAME' }),
    registryConfig: textFlag(
      'Registries to mirror and to replicate with: docs/guides/registry.md',
      {
        valueName: 'FILE',
        environment: 'TAPLINE_REGISTRY_CONFIG',
      },
    ),
    monitoringConfig: textFlag('An Icinga 2 that is to watch devices: docs/guides/monitoring.md', {
      valueName: 'FILE',
      environment: 'TAPLINE_MONITORING_CONFIG',
    }),
    devicePage: booleanFlag(
      'Serve the page in which browsers become devices: docs/guides/browser-device.md',
      { environment: 'TAPLINE_DEVICE_PAGE' },
    ),
    logLevel: textFlagWithDefault('How much it logs, on standard error', {
      choices: ['debug', 'info', 'warn', 'error'],
      default: 'warn',
      environment: 'TAPLINE_LOG_LEVEL',
    }),
  },
  async run({ console, flags }) {
    const {
      loadMonitoringConfiguration,
      loadRegistryConfiguration,
      parseControlPlaneConfiguration,
      startControlPlane,
    } = await import('@tapline/control-plane');
    const { host, port } = parseListenAddress(flags.listen);
    const dataDirectory = flags.data ?? defaultDataDirectory(console.environment);
    const registry =
      flags.registryConfig === undefined
        ? undefined
        : await loadRegistryConfiguration(flags.registryConfig, console.environment);
    const monitoring =
      flags.monitoringConfig === undefined
        ? undefined
        : await loadMonitoringConfiguration(flags.monitoringConfig);
    const devicePage = flags.devicePage
      ? (await import('../wasm/page-folder.ts')).devicePageFolder()
      : undefined;
    const environment = {
      ...console.environment,
      TAPLINE_DATA_DIRECTORY: dataDirectory,
      TAPLINE_HOST: host,
      TAPLINE_PORT: String(port),
      ...(flags.host.length === 0 ? {} : { TAPLINE_ADVERTISED_HOSTS: flags.host.join(',') }),
    };
    const configuration = parseControlPlaneConfiguration(environment, {
      ...(registry !== undefined && { registry }),
      ...(monitoring !== undefined && { monitoring }),
      ...(devicePage !== undefined && { devicePage }),
    });
    const log = createJsonLog({
      clock: console.clock,
      write: (line) => console.note(line),
      level: flags.logLevel as 'debug' | 'info' | 'warn' | 'error',
    });
    await using controlPlane = await startControlPlane({
      configuration,
      clock: console.clock,
      rng: systemRng,
      log,
    });
    await controlPlane.ready;
    const path = controlPlane.adminKubeconfigPath;
    const installed = await installKubeconfig(path, defaultKubeconfigPath(console.environment));
    console.write(`tapline control plane ready at ${controlPlane.url}\n`);
    console.note(
      installed
        ? `next: tapline token create\n`
        : `next: export TAPLINE_KUBECONFIG=${path}; tapline token create\n`,
    );
    if (!console.signal.aborted) await once(console.signal, 'abort');
    return exitCode.ok;
  },
});

function defaultDataDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  if (process.getuid?.() === 0) return '/var/lib/tapline/control-plane';
  const share =
    environment['XDG_DATA_HOME'] ?? join(environment['HOME'] ?? homedir(), '.local', 'share');
  return join(share, 'tapline', 'control-plane');
}

/** Makes the administrator's kubeconfig this user's own, unless there is one already. */
async function installKubeconfig(from: string, to: string): Promise<boolean> {
  if (existsSync(to)) return false;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await copyFile(from, to);
  return true;
}
