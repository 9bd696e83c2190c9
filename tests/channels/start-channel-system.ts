import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Channel, channelResource, nodeResource } from '@tapline/resources';
import { eventually } from '@tapline/testing';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from '../support/control-plane-process.ts';
import { ownedFolder } from '../support/owned-folder.ts';
import { type DeviceProcess, startDeviceProcess } from '../support/device-process.ts';
import { type CommandResult, runTapline } from '../support/run-tapline.ts';

/** A control plane and nodes that serve channels, all on loopback. */
export interface ChannelSystem extends AsyncDisposable {
  readonly folder: string;
  readonly controlPlane: ControlPlaneProcess;
  readonly nodes: readonly EdgeNode[];
  /** Has another node join. */
  addNode(name: string): Promise<EdgeNode>;
  readonly tapline: (words: readonly string[]) => Promise<CommandResult>;
  apply(text: string): Promise<void>;
  /** The channel, once that is so. */
  until(name: string, what: string, done: (channel: Channel) => boolean): Promise<Channel>;
}

export interface EdgeNode {
  readonly name: string;
  readonly agent: DeviceProcess;
  /** Agent and edge end without a word, as when the power does. */
  die(): Promise<void>;
  /** Agent and edge stand still, with their connections open, or go on. */
  freeze(frozen: boolean): void;
  /** What its edge cache answers for that path; undefined where none runs. */
  answers(path: string): Promise<number | undefined>;
  /** Sends its edge cache a signal, as to suspend it. */
  signalEdge(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** What whoever is at the machine can do: asks the edge cache over its socket. */
  askEdge(path: string, body: object): Promise<void>;
}

const withinMs = 60_000;

export async function startChannelSystem(
  names: readonly string[],
  options: {
    /** More environment of the control plane. */
    readonly env?: Readonly<Record<string, string>>;
    /** More flags of every agent. */
    readonly flags?: readonly string[];
  } = {},
): Promise<ChannelSystem> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await ownedFolder());
  // The edge caches run as another user.
  await chmod(folder, 0o711);
  const environment = {
    TAPLINE_KUBECONFIG: `${folder}/control-plane/admin.kubeconfig`,
    XDG_CONFIG_HOME: `${folder}/config`,
  };
  const controlPlane = opened.use(
    await startControlPlaneProcess(folder, { ...environment, ...options.env }),
  );
  const tapline = (words: readonly string[]): Promise<CommandResult> =>
    runTapline(words, { env: environment });
  const uses = ['--uses', '10'];
  const token = await tapline(['token', 'create', '--role', 'node', ...uses]);
  if (token.code !== 0) throw new Error(`no token: ${token.err}`);

  const parts = opened.use(new AsyncDisposableStack());

  async function startNode(name: string): Promise<EdgeNode> {
    const pidFile = join(folder, name, 'edge', 'edge.pid');
    const address = `127.0.0.1:${await freePort()}`;
    const agent = parts.use(
      await startDeviceProcess({
        name,
        folder,
        server: controlPlane.url,
        token: token.out.trim(),
        flags: ['--runtime', 'unconfined', '--edge', address, ...(options.flags ?? [])],
        labels: ['team=design', `place=${name}`],
      }),
    );
    // What its agent leaves running on purpose, before its folder goes.
    parts.defer(async () => {
      await agent.stop();
      const pid = pidOf(pidFile);
      if (pid !== undefined) process.kill(pid, 'SIGCONT');
      end(pidFile);
    });
    return {
      name,
      agent,
      freeze(frozen) {
        const signal = frozen ? 'SIGSTOP' : 'SIGCONT';
        agent.signal(signal);
        const pid = pidOf(pidFile);
        if (pid !== undefined) process.kill(pid, signal);
      },
      async answers(path) {
        try {
          return (await fetch(`http://${address}${path}`, { signal: AbortSignal.timeout(2000) }))
            .status;
        } catch {
          return undefined;
        }
      },
      signalEdge(signal) {
        const pid = pidOf(pidFile);
        if (pid !== undefined) process.kill(pid, signal);
      },
      askEdge: (path, body) =>
        new Promise((resolve, reject) => {
          const socketPath = join(folder, name, 'edge', 'edge.sock');
          request({ socketPath, method: 'POST', path }, (response) => {
            response.resume().on('end', () => {
              if (response.statusCode === 200) resolve();
              else reject(new Error(`${path} answers ${response.statusCode}`));
            });
          })
            .on('error', reject)
            .end(JSON.stringify(body));
        }),
      async die() {
        // First who would start the other again.
        await agent.kill();
        end(pidFile);
      },
    };
  }

  const { client } = controlPlane;
  const joined = async (name: string): Promise<EdgeNode> => {
    const node = await startNode(name);
    await eventually(
      `${name} serves channels`,
      async () => {
        const { items } = await client.list(nodeResource);
        const told = items.find(({ metadata }) => metadata.name === name)?.status;
        return told?.edge?.url === undefined ? undefined : true;
      },
      { withinMs },
    );
    return node;
  };
  const nodes = await Promise.all(names.map(joined));
  const owned = opened.move();
  return {
    folder,
    controlPlane,
    nodes,
    addNode: joined,
    tapline,
    async apply(text) {
      const file = join(folder, 'applied.yaml');
      await writeFile(file, text);
      const { code, err } = await tapline(['apply', '-f', file]);
      if (code !== 0) throw new Error(err);
    },
    until: (name, what, done) =>
      eventually(
        what,
        async () => {
          const channel = await client.get(channelResource, name);
          return done(channel) ? channel : undefined;
        },
        { withinMs },
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function pidOf(file: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

function end(file: string): void {
  const pid = pidOf(file);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
