import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { isRecord, TaplineError } from '@tapline/base';
import type { Probed } from './probe-port.ts';

/** Who carries connections into the network of one process. */
export interface ConnectorProcess {
  /** Gives a connection away; `onClosed` hears when it has ended. */
  carry(socket: Socket, port: number, onClosed: () => void): void;
  /** Whether somebody answers at a port of its network. */
  probe(port: number, path: string | undefined): Promise<Probed>;
  /** It gets no more connections, and ends with its last. */
  letGo(): void;
}

/** Starts a connector; throws `port_network_unreachable` where its network cannot be entered. */
export async function startConnector(
  pid: number,
  { command }: { readonly command: readonly string[] },
): Promise<ConnectorProcess> {
  // A network may be entered by whoever may enter the user namespace that it belongs to.
  const user = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
  const words = ['--target', String(pid), '--net', ...user, '--', ...command];
  const child = spawn('nsenter', words, {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
  });
  await whenReady(child, pid);
  // In the order in which connections end nobody cares which it was.
  const closers: (() => void)[] = [];
  const probes = new Map<number, (probed: Probed) => void>();
  let lastProbe = 0;
  child.on('message', (message) => {
    if (message === 'closed') closers.shift()?.();
    else if (isRecord(message)) {
      const { probe, healthy, why } = message;
      probes.get(Number(probe))?.({ healthy: healthy === true, why: String(why) });
      probes.delete(Number(probe));
    }
  });
  child.once('exit', () => {
    while (closers.length > 0) closers.shift()?.();
    for (const answer of probes.values()) answer({ healthy: false, why: 'its network is gone' });
    probes.clear();
  });
  child.on('error', () => undefined);
  return {
    carry(socket, port, onClosed) {
      if (!child.connected) {
        socket.destroy();
        onClosed();
        return;
      }
      closers.push(onClosed);
      child.send(port, socket, {}, (error) => {
        if (error !== null) socket.destroy();
      });
    },
    probe(port, path) {
      if (!child.connected) return Promise.resolve({ healthy: false, why: 'its network is gone' });
      lastProbe += 1;
      const id = lastProbe;
      return new Promise((resolve) => {
        probes.set(id, resolve);
        child.send({ probe: id, port, path });
      });
    },
    letGo() {
      if (child.connected) child.send('let-go');
    },
  };
}

async function whenReady(child: ChildProcess, pid: number): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('message', () => resolve());
  child.once('error', (error) => reject(error));
  child.once('close', (code) => reject(new Error(said.trim() || `it ended with ${code}`)));
  try {
    await promise;
  } catch (cause) {
    throw new TaplineError(
      'port_network_unreachable',
      `the network of process ${pid} cannot be entered: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, hint: 'it takes nsenter of util-linux, and an agent that runs as root' },
    );
  }
}
