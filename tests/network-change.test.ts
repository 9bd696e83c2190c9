import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, haveProgram, startProcess, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDeviceProcess } from './support/device-process.ts';
import { taplineMain } from './support/run-tapline.ts';
import {
  ipBatch,
  removeLeftovers,
  removeNamespaces,
  runInside,
} from './support/test-namespaces.ts';

const prefix = 'tlnet';
const controlPlane = '10.81.9.1';
const port = 7443;
/** Of each network the control plane's router, and the device where it is in it. */
const networks = {
  wifi: { router: '10.81.1.1', device: '10.81.1.2' },
  mobile: { router: '10.81.2.1', device: '10.81.2.2' },
} as const;
type Network = keyof typeof networks;

const missing = ['ip', 'tc', 'nsenter'].filter((program) => !haveProgram(program));
const unavailable =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? '(needs Linux and root)'
    : missing.length > 0
      ? `(needs ${missing.join(', ')})`
      : undefined;

describe.skipIf(unavailable !== undefined)(
  `a device that goes from one network to another ${unavailable ?? ''}`,
  () => {
    const system = new AsyncDisposableStack();
    const id = `${prefix}${process.pid}x${randomUUID().slice(0, 4)}`;
    const [inside, outside] = [`${id}-cp`, `${id}-dev`] as const;
    const content = randomBytes(24 * 1_048_576);
    let folder: string;
    let kubeconfig: string;
    let shellPort: number;

    beforeAll(async () => {
      ({ path: folder } = system.use(await temporaryFolder()));
      buildNetworks();
      system.defer(() => removeNamespaces([inside, outside]));
      enter('wifi');
      const data = join(folder, 'control-plane');
      const up = ['up', '--data', data, '--listen', `${controlPlane}:${port}`];
      const env = {
        XDG_CONFIG_HOME: join(folder, 'config'),
        HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
        TAPLINE_OPSBOT: 'off',
      };
      system.use(
        await startProcess(
          'nsenter',
          [`--net=/run/netns/${inside}`, process.execPath, taplineMain, ...up],
          { readyLine: /ready at (https:\S+)/, readyWithinMs: 40_000, env },
        ),
      );
      kubeconfig = join(data, 'admin.kubeconfig');
      shellPort = await serveShell();
      const shared = join(folder, 'shared');
      await mkdir(shared);
      await writeFile(join(folder, 'large'), content);
      system.use(
        await startDeviceProcess({
          name: 'pad',
          folder,
          server: `https://${controlPlane}:${port}`,
          token: await administrator('token', 'create'),
          flags: ['--runtime=unconfined', `--files=${shared}`, `--allow-forward=${shellPort}`],
          within: ['nsenter', `--net=/run/netns/${outside}`],
        }),
      );
    }, 90_000);
    afterAll(() => system.disposeAsync(), 60_000);

    function buildNetworks(): void {
      removeLeftovers(prefix);
      ipBatch([inside, outside].map((space) => `netns add ${space}`));
      const names = Object.keys(networks) as Network[];
      ipBatch(
        names.map(
          (name) => `link add ${name} netns ${inside} type veth peer ${name} netns ${outside}`,
        ),
      );
      ipBatch(
        [
          'link set lo up',
          `address add ${controlPlane}/32 dev lo`,
          ...names.flatMap((name) => [
            `address add ${networks[name].router}/24 dev ${name}`,
            `link set ${name} up`,
          ]),
        ],
        inside,
      );
      ipBatch(['link set lo up'], outside);
      const shape = ['root', 'tbf', 'rate', '60mbit', 'burst', '64kb', 'latency', '50ms'];
      for (const name of names) runInside(inside, ['tc', 'qdisc', 'add', 'dev', name, ...shape]);
    }

    function enter(network: Network): void {
      const { device: address, router } = networks[network];
      ipBatch(
        [
          `address add ${address}/24 dev ${network}`,
          `link set ${network} up`,
          `route add default via ${router}`,
        ],
        outside,
      );
    }

    /** As a radio that is switched off: nobody is told, and the address is gone. */
    function leave(network: Network): void {
      const { device: address } = networks[network];
      ipBatch([`link set ${network} down`, `address del ${address}/24 dev ${network}`], outside);
    }

    /** Bytes that the device has had by this network. */
    function receivedBytes(network: Network): number {
      const shown = runInside(outside, ['ip', '-j', '-s', 'link', 'show', 'dev', network]);
      const [link] = JSON.parse(shown) as [{ stats64: { rx: { bytes: number } } }];
      return link.stats64.rx.bytes;
    }

    function tapline(...words: readonly string[]): ChildProcess {
      return spawn(
        'nsenter',
        [`--net=/run/netns/${inside}`, process.execPath, taplineMain, ...words],
        {
          stdio: 'pipe',
          env: { ...process.env, TAPLINE_KUBECONFIG: kubeconfig },
          timeout: 170_000,
          killSignal: 'SIGKILL',
        },
      );
    }

    async function administrator(...words: readonly string[]): Promise<string> {
      const { ended, output, errors } = followed(tapline(...words));
      if ((await ended) !== 0) throw new Error(`tapline ${words.join(' ')}: ${errors()}`);
      return output().trim();
    }

    /** A shell that whoever connects to a port of the device's loopback interface gets. */
    async function serveShell(): Promise<number> {
      const script = `
        const { spawn } = require('node:child_process');
        require('node:net').createServer((socket) => {
          const shell = spawn('sh', ['-c', 'while read -r x; do echo $$ $x; done']);
          socket.pipe(shell.stdin);
          shell.stdout.pipe(socket);
          socket.on('error', () => shell.kill());
        }).listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });`;
      const words = [`--net=/run/netns/${outside}`, process.execPath, '-e', script];
      const served = system.use(await startProcess('nsenter', words, { readyLine: /port (\d+)/ }));
      return Number(served.ready?.[1]);
    }

    /** Somebody at that shell, by a forward of a port where the control plane is. */
    async function openShell(): Promise<ChildProcess> {
      const forward = [process.execPath, taplineMain, 'forward', 'pad', `0:${shellPort}`];
      const forwarding = system.use(
        await startProcess('nsenter', [`--net=/run/netns/${inside}`, ...forward], {
          readyLine: /^127\.0\.0\.1:(\d+) -> /m,
          env: { TAPLINE_KUBECONFIG: kubeconfig },
        }),
      );
      const script = `
        const socket = require('node:net').connect(${forwarding.ready?.[1]}, '127.0.0.1');
        process.stdin.pipe(socket).pipe(process.stdout);`;
      const words = [`--net=/run/netns/${inside}`, process.execPath, '-e', script];
      return spawn('nsenter', words, { stdio: 'pipe', timeout: 170_000, killSignal: 'SIGKILL' });
    }

    test('keeps its download and its shell', async () => {
      const shell = await openShell();
      const typed = followed(shell);
      const say = async (word: string): Promise<string> => {
        shell.stdin?.write(`${word}\n`);
        return await eventually(
          `the shell answers ${word}`,
          () => new RegExp(`^(\\d+) ${word}$`, 'm').exec(typed.output())?.[1],
          { withinMs: 60_000 },
        );
      };
      const shellId = await say('begins');
      const copy = followed(tapline('cp', join(folder, 'large'), 'pad:large'));
      for (const [from, to] of [
        ['wifi', 'mobile'],
        ['mobile', 'wifi'],
      ] as const) {
        const before = receivedBytes(from);
        await eventually('the download is under way', () => receivedBytes(from) - before > 4e6);
        leave(from);
        enter(to);
        // The same shell, as its download goes on.
        expect(await say(`over-${to}`)).toBe(shellId);
      }
      expect([await copy.ended, copy.errors()]).toEqual([0, expect.any(String)]);
      const arrived = await readFile(join(folder, 'shared', 'large'));
      expect(createHash('sha256').update(arrived).digest('hex')).toBe(
        createHash('sha256').update(content).digest('hex'),
      );
      shell.stdin?.end();
      expect(await typed.ended).toBe(0);
    }, 180_000);
  },
);

/** What a process prints, and how it ends. */
function followed(child: ChildProcess): {
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
} {
  const text = { out: '', error: '' };
  child.stdout?.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text.error += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { output: () => text.out, errors: () => text.error, ended };
}
