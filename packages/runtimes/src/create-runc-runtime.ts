import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { TaplineError } from '@tapline/base';
import { ContainerRuntime, type ContainerRuntimeInit } from './container-runtime.ts';
import { probeHost } from './host-support.ts';
import { createRuncStrategy } from './runc-strategy.ts';
import type { Runtime } from './runtime.ts';

export interface RuncRuntimeInit extends ContainerRuntimeInit {
  /** `runc` unless given. */
  readonly program?: string;
}

/** Containers by runc. Throws `runtime_unavailable` where it is missing or may not make them. */
export async function createRuncRuntime(init: RuncRuntimeInit): Promise<Runtime> {
  const { program = 'runc' } = init;
  const version = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (version.status !== 0) {
    throw new TaplineError('runtime_unavailable', `${program} cannot be executed`, {
      cause: version.error,
      hint: 'install runc, for example with apt-get install runc',
    });
  }
  const host = probeHost();
  if (!host.root) {
    throw new TaplineError('runtime_unavailable', 'runc needs to be started as root', {
      hint: 'run the agent as root, or choose the unconfined runtime explicitly',
    });
  }
  const { memory, pids, cpu } = host.cgroups;
  if (!(memory && pids && cpu)) {
    init.log.warn('control groups do not enforce all limits here', { memory, pids, cpu });
  }
  const root = join(init.directory, 'runc');
  return await ContainerRuntime.open(createRuncStrategy({ program, root, host }), init);
}
