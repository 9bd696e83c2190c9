import type { ContainerSpec, ProcessSpec } from './container-spec.ts';
import type { Confinement, Runtime } from './runtime.ts';

/** One life of a container: what it is called, what it runs and where it keeps its state. */
export interface Instance {
  readonly id: string;
  readonly bundle: string;
  /** A file that holds the id of its first process once that runs. */
  readonly pidFile: string;
  /** Where the runtime program writes what went wrong, apart from the container's own output. */
  readonly errorFile: string;
}

/** How one kind of runtime does what {@link createContainerRuntime} asks for. */
export interface LaunchStrategy {
  readonly name: Runtime['name'];
  /** Writes the bundle of a container. */
  layOut(spec: ContainerSpec, bundle: string): Promise<Confinement>;
  /** One line of shell that runs the container until it ends. */
  runLine(instance: Instance, mode: 'foreground' | 'background'): string;
  /** One line of shell that runs another process in the container. */
  execLine(
    instance: Instance,
    exec: {
      readonly process: ProcessSpec;
      readonly spec: ContainerSpec;
      readonly directory: string;
    },
  ): string;
  /** The first process, where it runs and is the one that was started. */
  findProcess(instance: Instance): number | undefined;
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Kills whatever of the container is left and forgets it; idempotent. */
  destroy(instance: Instance): Promise<void>;
  /** Why the container did not start, where `exitCode` means that. */
  startError(instance: Instance, exitCode: number): string | undefined;
}
