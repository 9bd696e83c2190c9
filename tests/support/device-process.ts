import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess, type StartedProcess } from '@tapline/testing';
import {
  type ListedContainer,
  listContainers,
  mountsBelow,
  removeContainers,
} from './containers.ts';
import { taplineMain } from './run-tapline.ts';

/** A device whose agent is a process that can be stopped, killed and started again. */
export interface DeviceProcess extends AsyncDisposable {
  readonly name: string;
  readonly data: string;
  /** What its agent logged since its last start. */
  output(): string;
  /** Starts the agent of a device that has joined. */
  start(): Promise<void>;
  /** Its programs go on. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  containers(): readonly ListedContainer[];
}

export interface DeviceProcessInit {
  readonly name: string;
  readonly folder: string;
  readonly server: string;
  readonly token: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of the agent. */
  readonly flags?: readonly string[];
  readonly labels?: readonly string[];
  /** A command to run its agent by, as in another network namespace. */
  readonly within?: readonly string[];
}

/** Joins a device and runs its agent. Disposing it also removes what runs on it. */
export async function startDeviceProcess(init: DeviceProcessInit): Promise<DeviceProcess> {
  const { name, server, token, env = {}, flags = [], labels = ['team=design'], within = [] } = init;
  const data = join(init.folder, name);
  const runcRoot = join(data, 'runtime', 'runc');
  const shared = ['--data', data, '--log-level', 'info', ...flags];
  const labelled = labels.flatMap((label) => ['--label', label]);
  let running = await begin([
    'join',
    server,
    '--token',
    token,
    '--name',
    name,
    ...labelled,
    ...shared,
  ]);

  function begin(words: readonly string[]): Promise<StartedProcess> {
    const [program, ...rest] = [...within, process.execPath, taplineMain, ...words];
    return startProcess(program ?? '', rest, {
      readyLine: /agent of \S+ runs/,
      env,
      readyWithinMs: 40_000,
    });
  }

  return {
    name,
    data,
    output: () => running.output(),
    async start() {
      running = await begin(['agent', ...shared]);
    },
    async stop() {
      await running[Symbol.asyncDispose]();
    },
    async kill() {
      running.kill('SIGKILL');
      await running.exited;
    },
    signal: (signal) => running.kill(signal),
    containers: () => listContainers(runcRoot),
    async [Symbol.asyncDispose]() {
      // One that is suspended hears no SIGTERM.
      running.kill('SIGCONT');
      await running[Symbol.asyncDispose]();
      removeContainers(runcRoot);
      endPortHolders(data);
      for (const path of mountsBelow(data)) spawnSync('umount', ['--lazy', path]);
      await rm(data, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** What holds ports of programs open goes on without an agent, as they do. */
function endPortHolders(data: string): void {
  const folder = join(data, 'ports');
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    try {
      const text = readFileSync(join(folder, name, 'holder.json'), 'utf8');
      process.kill((JSON.parse(text) as { readonly pid: number }).pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}
