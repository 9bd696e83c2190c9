import { join } from 'node:path';
import type { Clock, Log } from '@tapline/base';
import {
  createMachineRuntime,
  createRuncRuntime,
  createUnconfinedRuntime,
  createWasmRuntime,
  machineDialects,
  type Runtime,
} from '@tapline/runtimes';
import type { AgentConfig } from './agent-config.ts';

export async function openRuntime(
  config: AgentConfig,
  init: { readonly clock: Clock; readonly log: Log },
): Promise<Runtime> {
  const directory = join(config.dataDirectory, 'runtime');
  const { runtime = 'runc' } = config;
  switch (runtime) {
    case 'unconfined':
      return await createUnconfinedRuntime({ ...init, directory, acceptNoIsolation: true });
    case 'wasm':
      return await createWasmRuntime({ ...init, directory });
    case 'runc':
      return await createRuncRuntime({ ...init, directory });
    default: {
      const dialect = machineDialects[runtime];
      const { machineEnvironment: environment = {} } = config;
      return await createMachineRuntime({ ...init, directory, dialect, environment });
    }
  }
}
