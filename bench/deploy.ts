import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKubeconfig } from '../packages/client/src/index.ts';
import { measureCommandLine } from './deploy/command-line.ts';
import { startControlPlaneProcess } from './deploy/fleet-on-this-machine.ts';
import { createJoinToken } from './deploy/join-token.ts';
import { measureSimulatedFleet } from './deploy/measure-simulated-fleet.ts';
import { measureWarmDelivery } from './deploy/warm-delivery.ts';
import type { Measurement } from './result.ts';

const simulatedDevices = 1000;

/** Deliveries end to end: one device with runc, a thousand simulated ones, and the command line. */
export async function benchmarkDeploy(): Promise<Measurement> {
  // In lower case, because podman takes the path for a repository's name.
  const folder = join(tmpdir(), `tapline-bench-${randomBytes(6).toString('hex')}`);
  await mkdir(folder, { mode: 0o711 });
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const controlPlane = cleanUp.use(await startControlPlaneProcess(folder));
  const { ca = '' } = await loadKubeconfig(controlPlane.environment['TAPLINE_KUBECONFIG'] ?? '');
  const token = await createJoinToken(controlPlane.client, { uses: simulatedDevices + 1, ca });
  const warm = await measureWarmDelivery(controlPlane, { folder, token });
  const commandLine = await measureCommandLine(controlPlane);
  const fleet = await measureSimulatedFleet(controlPlane, { devices: simulatedDevices, token });
  return {
    versions: { runc: versionOf('runc'), podman: versionOf('podman') },
    rows: [...warm, ...commandLine, ...fleet],
  };
}

function versionOf(program: string): string {
  const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 ? (stdout.split('\n')[0] ?? '') : 'missing';
}
