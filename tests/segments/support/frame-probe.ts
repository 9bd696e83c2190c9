import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface ProbedPort {
  /** Path of the namespace that the end is in. */
  readonly namespace: string;
  readonly interface: string;
}

export interface SeenFrame {
  readonly port: number;
  readonly frame: Buffer;
}

/** Sends and sees raw frames at the ends of ports, past all that their namespaces' kernels do. */
export interface FrameProbe extends AsyncDisposable {
  send(port: number, frame: Uint8Array): void;
  /** Everything seen since the last call, once nothing more came for a while. */
  settle(quietMs?: number): Promise<readonly SeenFrame[]>;
}

const program = fileURLToPath(new URL('frame-probe.py', import.meta.url));

export async function startFrameProbe(ports: readonly ProbedPort[]): Promise<FrameProbe> {
  const args = ports.flatMap((port) => [port.namespace, port.interface]);
  const child: ChildProcess = spawn('python3', [program, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('python3 has no streams');
  let seen: SeenFrame[] = [];
  let lastAt = performance.now();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    void exited.then(() => reject(new Error('the frame probe ended')));
    createInterface({ input: stdout }).on('line', (line) => {
      if (line === 'ready') {
        resolve();
        return;
      }
      const [port = '', hex = ''] = line.split(' ');
      if (port === 'error') return;
      lastAt = performance.now();
      seen.push({ port: Number(port), frame: Buffer.from(hex, 'hex') });
    });
  });
  return {
    send(port, frame) {
      stdin.write(`${port} ${Buffer.from(frame).toString('hex')}\n`);
      lastAt = performance.now();
    },
    async settle(quietMs = 250) {
      // Whoever sent by other means blocked this thread: what came is not read yet.
      lastAt = performance.now();
      while (performance.now() - lastAt < quietMs) await delay(quietMs / 5);
      const all = seen;
      seen = [];
      return all;
    },
    async [Symbol.asyncDispose]() {
      stdin.end();
      child.kill();
      await exited;
    },
  };
}
