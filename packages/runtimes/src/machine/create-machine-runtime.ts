import { ContainerRuntime, type ContainerRuntimeInit } from '../container-runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { MachineDialect } from './machine-dialect.ts';
import { assertMachine, createMachineStrategy } from './machine-strategy.ts';

export interface MachineRuntimeInit extends ContainerRuntimeInit {
  readonly dialect: MachineDialect;
  /** What the command line needs to find its machine, such as HOME and PATH. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Containers in a virtual machine, by the command line of its program. Throws `runtime_unavailable`
 * where the machine does not run.
 */
export async function createMachineRuntime(init: MachineRuntimeInit): Promise<Runtime> {
  await assertMachine(init.dialect, init.environment);
  return await ContainerRuntime.open(createMachineStrategy(init), init);
}
