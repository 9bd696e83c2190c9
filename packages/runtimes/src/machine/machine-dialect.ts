import type { ContainerSpec } from '../container-spec.ts';

/** A container as a machine's command line lists it. */
export interface MachineContainer {
  readonly name: string;
  readonly running: boolean;
}

/**
 * How the command line of a program that keeps Linux in a virtual machine is spoken to. Data and pure
 * functions: what it says is tested against answers that were recorded.
 */
export interface MachineDialect {
  readonly name: 'apple-container' | 'colima' | 'podman-machine';
  /** Program and words that come before each command. */
  readonly program: readonly string[];
  /** How to see whether the machine runs, and what to do where it does not. */
  readonly machine: {
    readonly command: readonly string[];
    readonly isUp: (output: string) => boolean;
    readonly hint: string;
  };
  /** Commands that have to have been done once; one that fails as it was done already is no failure. */
  readonly prepare: readonly (readonly string[])[];
  readonly list: readonly string[];
  readonly parseList: (output: string) => readonly MachineContainer[];
  /** Answers with success where the machine has that image. */
  readonly findImage: (image: string) => readonly string[];
  readonly loadImage: (archive: string) => readonly string[];
  /** Of `run`, beside those that all of them have. */
  readonly runFlags: (spec: ContainerSpec) => readonly string[];
  readonly kill: (name: string, signal: string) => readonly string[];
}
