import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../packages/base/src/index.ts';
import {
  createHttpClient,
  type HttpClient,
  loadKubeconfig,
} from '../../packages/client/src/index.ts';
import { startProcess, type StartedProcess } from '../../packages/testing/src/index.ts';

const root = join(fileURLToPath(import.meta.url), '../../..');
const tapline = join(root, 'tapline');

/** A control plane with its bottles, each a process of its own, and a client of the administrator. */
export interface ControlPlaneOnThisMachine extends AsyncDisposable {
  readonly url: string;
  readonly client: HttpClient;
  readonly environment: Readonly<Record<string, string>>;
  readonly pid: number;
}

export async function startControlPlaneProcess(folder: string): Promise<ControlPlaneOnThisMachine> {
  await using opened = new AsyncDisposableStack();
  const mirror = opened.use(
    await startProcess(
      process.execPath,
      [join(root, 'tools/bottle-mirror/main.ts'), '--port', '0', '--formula', 'jq'],
      { readyLine: /TAPLINE_HOMEBREW_KEY_FILE=(.+)\nlistening on (http:\/\/\S+)/ },
    ),
  );
  const [, keyFile = '', bottles = ''] = mirror.ready ?? [];
  const data = join(folder, 'control-plane');
  const kubeconfig = join(data, 'admin.kubeconfig');
  const environment = {
    HOMEBREW_API_DOMAIN: `${bottles}/api`,
    HOMEBREW_ARTIFACT_DOMAIN: bottles,
    TAPLINE_HOMEBREW_KEY_FILE: keyFile,
    TAPLINE_KUBECONFIG: kubeconfig,
    XDG_CONFIG_HOME: join(folder, 'config'),
  };
  const up = opened.use(
    await startProcess(tapline, ['up', '--data', data, '--listen', '127.0.0.1:0'], {
      readyLine: /ready at (\S+)/,
      env: environment,
    }),
  );
  const context = await loadKubeconfig(kubeconfig);
  const client = opened.use(
    createHttpClient({ ...context, userAgent: 'tapline-bench', clock: systemClock }),
  );
  const owned = opened.move();
  return {
    url: up.ready?.[1] ?? '',
    client,
    environment,
    pid: up.pid,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A device's agent as a process of its own. */
export function startDeviceProcess(
  device: { readonly name: string; readonly data: string; readonly token: string },
  controlPlane: ControlPlaneOnThisMachine,
): Promise<StartedProcess> {
  const { name, data, token } = device;
  const words = ['join', controlPlane.url, '--token', token, '--name', name, '--data', data];
  return startProcess(tapline, [...words, '--label', 'bench=yes'], {
    readyLine: /agent of \S+ runs/,
    env: controlPlane.environment,
  });
}
