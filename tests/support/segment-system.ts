import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@tapline/base';
import { createHttpClient, type HttpClient, loadKubeconfig } from '@tapline/client';
import { nodeResource } from '@tapline/resources';
import { eventually, startProcess, type StartedProcess } from '@tapline/testing';
import { buildNetwork, type TestNode } from '../segments/support/build-network.ts';
import { mountsBelow, removeContainers } from './containers.ts';
import { openDoor } from './open-door.ts';
import { ownedFolder } from './owned-folder.ts';
import { platform } from './start-system.ts';
import { type CommandResult, taplineMain } from './run-tapline.ts';

/** A control plane and nodes, each a machine of its own as far as the network goes. */
export interface SegmentSystem extends AsyncDisposable {
  readonly nodes: readonly NodeMachine[];
  /** Of the administrator, on the control plane's machine. */
  readonly kubeconfig: string;
  /** The network namespace of the control plane. */
  readonly controlNamespace: string;
  /** Runs a command of the administrator, on the control plane's machine. */
  tapline(words: readonly string[], stdin?: string): Promise<CommandResult>;
  /** Starts one that goes on; ready with this line. */
  start(words: readonly string[], readyLine: RegExp): Promise<StartedProcess>;
  /** A client of the administrator; it finds its way into the control plane's network. */
  readonly client: HttpClient;
  /** Writes a manifest and applies it. */
  apply(name: string, text: string): Promise<void>;
  stopControlPlane(): Promise<void>;
  startControlPlane(): Promise<void>;
}

export interface NodeMachine {
  readonly name: string;
  /** Its network namespace. */
  readonly namespace: string;
  /** Where its agent keeps its state. */
  readonly data: string;
  /** With more flags than it was started with at first. */
  start(flags?: readonly string[]): Promise<void>;
  kill(): Promise<void>;
  /** Runs a program on it; its exit code and output. */
  run(command: readonly [string, ...string[]]): { readonly code: number; readonly out: string };
  /** The same beside others; whether it ended well. */
  succeeds(command: readonly [string, ...string[]]): Promise<boolean>;
}

const port = 7443;
const agentReady = /agent of \S+ runs/;

/** The control plane is on `cp`; nodes join with their labels, and each has a routed underlay. */
export async function startSegmentSystem(
  labels: Readonly<Record<string, string>>,
  options: {
    /** What Homebrew is to have, as far as this system goes. */
    readonly formulae?: readonly string[];
    readonly runtime?: 'runc' | 'unconfined';
    /** More environment of the control plane and of the nodes. */
    readonly env?: Readonly<Record<string, string>>;
    /** More flags of agents, by the node's name. */
    readonly flags?: Readonly<Record<string, readonly string[]>>;
  } = {},
): Promise<SegmentSystem> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await ownedFolder());
  // As on a device, where containers in user namespaces have to pass through it.
  await chmod(folder, 0o711);
  const names = Object.keys(labels);
  const network = opened.use(buildNetwork(['cp', ...names]));
  const machine = (name: string): TestNode => {
    const found = network.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no machine ${name}`);
    return found;
  };
  const control = machine('cp');
  const data = join(folder, 'control-plane');
  const kubeconfig = join(data, 'admin.kubeconfig');
  const env: Record<string, string> = {
    TAPLINE_KUBECONFIG: kubeconfig,
    XDG_CONFIG_HOME: join(folder, 'config'),
    // What a test does to a node is not to be repaired, unless that is the test.
    TAPLINE_OPSBOT: 'off',
    ...options.env,
  };
  const { formulae = [], runtime = 'unconfined', flags = {} } = options;
  if (formulae.length > 0) {
    const mirror = opened.use(await startMirror(control, formulae));
    for (const [, name = '', value = ''] of mirror.output().matchAll(/^export (\w+)=(.*)$/gm)) {
      env[name] = value;
    }
  }

  function begin(
    name: string,
    words: readonly string[],
    readyLine: RegExp,
  ): Promise<StartedProcess> {
    const [program = '', ...rest] = onMachine(machine(name), join(folder, `${name}-wireguard`));
    const command = [...rest, process.execPath, taplineMain, ...words];
    return startProcess(program, command, { readyLine, env, readyWithinMs: 60_000 });
  }

  const listen = `${control.underlay}:${port}`;
  const startServer = (): Promise<StartedProcess> =>
    begin('cp', ['up', '--data', data, '--listen', listen], /ready at (https:\S+)/);
  let controlPlane = await startServer();
  opened.defer(() => controlPlane[Symbol.asyncDispose]());
  const door = opened.use(await openDoor({ ...control, port }, folder));
  const context = await loadKubeconfig(kubeconfig);
  const client = opened.use(
    createHttpClient({ ...context, baseUrl: door.url, userAgent: 'tests', clock: systemClock }),
  );

  async function tapline(words: readonly string[], stdin = ''): Promise<CommandResult> {
    const place = `--net=/run/netns/${control.namespace}`;
    const child = spawn('nsenter', [place, process.execPath, taplineMain, ...words], {
      env: { ...process.env, ...env },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out, err };
  }

  const uses = ['--uses', String(names.length)];
  const token = await tapline(['token', 'create', '--role', 'node', ...uses]);
  if (token.code !== 0) throw new Error(`no token: ${token.err}`);

  async function startNode(name: string): Promise<NodeMachine> {
    const { namespace } = machine(name);
    const place = ['--data', join(folder, name)];
    const shared = [...place, '--runtime', runtime, ...(flags[name] ?? [])];
    opened.defer(() => {
      removeContainers(join(folder, name, 'runtime', 'runc'));
      for (const path of mountsBelow(join(folder, name))) spawnSync('umount', ['--lazy', path]);
    });
    const words = ['join', `https://${listen}`, '--token', token.out.trim(), '--name', name];
    const label = (labels[name] ?? '').split(',').flatMap((one) => ['--label', one]);
    let running = await begin(name, [...words, ...label, ...shared], agentReady);
    opened.defer(() => running[Symbol.asyncDispose]());
    return {
      name,
      namespace,
      data: join(folder, name),
      async start(more = []) {
        running = await begin(name, ['agent', ...shared, ...more], agentReady);
      },
      async kill() {
        running.kill('SIGKILL');
        await running.exited;
      },
      run([program, ...rest]) {
        const given = [`--net=/run/netns/${namespace}`, program, ...rest];
        const { status, stdout } = spawnSync('nsenter', given, { encoding: 'utf8' });
        return { code: status ?? -1, out: stdout };
      },
      async succeeds([program, ...rest]) {
        const given = [`--net=/run/netns/${namespace}`, program, ...rest];
        const child = spawn('nsenter', given, { stdio: 'ignore', timeout: 60_000 });
        const [code] = (await once(child, 'close')) as [number | null];
        return code === 0;
      },
    };
  }

  const nodes = await Promise.all(names.map(startNode));
  await eventually(
    'all nodes are ready',
    async () => {
      const { items } = await client.list(nodeResource);
      const told = items.filter(({ status }) => status?.wireguardKey !== undefined);
      return told.length === names.length;
    },
    { withinMs: 30_000 },
  );
  const owned = opened.move();
  return {
    nodes,
    kubeconfig,
    controlNamespace: control.namespace,
    tapline,
    start: async (words, readyLine) => await begin('cp', words, readyLine),
    client,
    async apply(name, text) {
      const file = join(folder, `${name}.yaml`);
      await writeFile(file, text);
      const applied = await tapline(['apply', '-f', file]);
      if (applied.code !== 0) throw new Error(applied.err);
    },
    async stopControlPlane() {
      await controlPlane[Symbol.asyncDispose]();
    },
    async startControlPlane() {
      controlPlane = await startServer();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Homebrew on the control plane's machine; what it has to be asked by is in its output. */
async function startMirror(
  { namespace }: TestNode,
  formulae: readonly string[],
): Promise<StartedProcess> {
  const main = fileURLToPath(new URL('../../tools/bottle-mirror/main.ts', import.meta.url));
  const words = formulae.flatMap((formula) => ['--formula', formula]);
  const place = [`--net=/run/netns/${namespace}`, process.execPath, main];
  return await startProcess('nsenter', [...place, ...words, '--platform', platform, '--build'], {
    readyLine: /listening on/,
    readyWithinMs: 60_000,
  });
}

/**
 * Puts a command on a machine. wireguard-go's socket is named for its device, which every node has,
 * so each machine has a folder for it, which outlives its agent as a machine's own does.
 */
function onMachine({ namespace }: TestNode, sockets: string): readonly string[] {
  return [
    'nsenter',
    `--net=/run/netns/${namespace}`,
    'unshare',
    '--mount',
    'sh',
    '-c',
    'mkdir -p "$0" /run/wireguard && mount --bind "$0" /run/wireguard && exec "$@"',
    sockets,
  ];
}
