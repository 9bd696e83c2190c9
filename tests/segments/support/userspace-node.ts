import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SealRequest, SendingKeys, WrappedKey } from '@tapline/fabric';
import type { FabricIntent, NodeState } from '@tapline/segments';

/** A node that carries segments in user space, as a process in its namespace. */
export interface UserSpaceNode extends AsyncDisposable {
  readonly pid: number;
  apply(intent: FabricIntent): Promise<unknown>;
  /** The same, and fails where a segment is refused. */
  stand(intent: FabricIntent): Promise<void>;
  metrics(): Promise<unknown>;
  observe(): Promise<NodeState>;
  /** Its own keys, where it has a folder for them. */
  keys(): Promise<SendingKeys>;
  seal(wanted: readonly SealRequest[]): Promise<readonly WrappedKey[]>;
  /** As a crash. */
  kill(): Promise<void>;
}

const program = fileURLToPath(
  new URL('../../../packages/fabric/src/testing/run-datapath.ts', import.meta.url),
);

export async function startUserSpaceNode(
  namespace: string,
  name: string,
  folder = '',
  /** Where its ports are sockets. */
  ports?: string,
): Promise<UserSpaceNode> {
  const words = [process.execPath, program, name, folder, ...(ports === undefined ? [] : [ports])];
  const child = spawn('ip', ['netns', 'exec', namespace, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`node ${name} ended`);
    return line.value;
  };
  await next();
  async function ask(line: string): Promise<unknown> {
    child.stdin.write(`${line}\n`);
    return JSON.parse(await next());
  }
  async function end(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
  }
  const apply = (intent: FabricIntent): Promise<unknown> => ask(JSON.stringify(intent));
  return {
    pid: child.pid ?? 0,
    apply,
    async stand(intent) {
      const outcome = JSON.stringify(await apply(intent));
      if (!outcome.includes('"state":"converged"')) throw new Error(`node ${name}: ${outcome}`);
    },
    metrics: () => ask('metrics'),
    observe: async () => (await ask('observe')) as NodeState,
    keys: async () => (await ask('keys')) as SendingKeys,
    seal: async (wanted) => (await ask(`seal ${JSON.stringify(wanted)}`)) as readonly WrappedKey[],
    kill: end,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 3000))]);
      await end();
    },
  };
}
