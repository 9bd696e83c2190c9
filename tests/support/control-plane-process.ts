import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { createHttpClient, type HttpClient, loadKubeconfig } from '@tapline/client';
import { startProcess, type StartedProcess } from '@tapline/testing';
import { taplineMain } from './run-tapline.ts';

/** A control plane as a process that can be stopped, killed, suspended and started again. */
export interface ControlPlaneProcess extends AsyncDisposable {
  readonly url: string;
  readonly data: string;
  readonly kubeconfig: string;
  /** Of the one that runs now. */
  readonly pid: number;
  /** What it logged since its last start. */
  output(): string;
  /** Starts it again, on the port it had. */
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** A client of the administrator, closed with the control plane. */
  readonly client: HttpClient;
}

export async function startControlPlaneProcess(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<ControlPlaneProcess> {
  const data = join(folder, 'control-plane');
  const kubeconfig = join(data, 'admin.kubeconfig');
  let listen = '127.0.0.1:0';
  let running = await begin();
  const url = running.ready?.[1] ?? '';
  listen = new URL(url).host;
  const context = await loadKubeconfig(kubeconfig);
  const client = createHttpClient({ ...context, userAgent: 'tests', clock: systemClock });

  function begin(): Promise<StartedProcess> {
    return startProcess(
      process.execPath,
      [taplineMain, 'up', '--data', data, '--listen', listen, '--log-level', 'info'],
      {
        readyLine: /ready at (https:\S+)/,
        // What a test does to a device is not to be repaired, unless that is the test.
        env: { TAPLINE_OPSBOT: 'off', ...env },
        readyWithinMs: 40_000,
      },
    );
  }

  return {
    url,
    data,
    kubeconfig,
    client,
    get pid() {
      return running.pid;
    },
    output: () => running.output(),
    async start() {
      running = await begin();
    },
    async stop() {
      await running[Symbol.asyncDispose]();
    },
    async kill() {
      running.kill('SIGKILL');
      await running.exited;
    },
    signal: (name) => running.kill(name),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      // One that is suspended hears no SIGTERM.
      running.kill('SIGCONT');
      await running[Symbol.asyncDispose]();
    },
  };
}
