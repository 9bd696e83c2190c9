import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaplineError } from '@tapline/base';
import type { Console } from '../framework/console.ts';
import type { ChildProgram } from './child-program.ts';
import { createDemoShell, findCheckout } from './demo-shell.ts';
import { startLiveStream } from './live-stream.ts';
import { type PlayerReport, startPlayerPage } from './start-player-page.ts';

const nodes = ['edge-1', 'edge-2', 'edge-3'] as const;
const browsers = ['chromium-headless-shell', 'chromium'] as const;
const patienceMs = 60_000;
const manifest = (origin: string): string => `apiVersion: tapline.dev/v1alpha1
kind: Channel
metadata: { name: news }
spec:
  origin: { url: ${origin} }
  edges: { replicas: 2, moveAfterSeconds: 1 }
`;

/** A channel from a live stream to a picture that goes on while its node dies, on this machine. */
export async function runChannelDemo(console: Console): Promise<void> {
  const { clock, signal } = console;
  const browser = programsHere();
  const checkout = findCheckout();
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tapline-demo-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  // Edge caches run as another user, where this one is root.
  await chmod(folder, 0o711);
  const environment = {
    ...console.environment,
    TAPLINE_KUBECONFIG: join(folder, 'control-plane', 'admin.kubeconfig'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  };
  const { step, say, startTapline, show, capture } = createDemoShell(console, environment);

  step('a stream that FFmpeg makes live');
  const stream = stack.use(
    await startLiveStream({ folder: join(folder, 'origin'), clock, signal }),
  );
  say(`origin: ${stream.url}`);

  step('a control plane, and three nodes that serve channels');
  const up = ['up', '--data', join(folder, 'control-plane'), '--listen', '127.0.0.1:0'];
  const controlPlane = stack.use(await startTapline(up, /ready at (https:\S+)/));
  say(`$ tapline up    → ${controlPlane.announced}`);
  const uses = ['--uses', String(nodes.length)];
  const token = (await capture(['token', 'create', '--role', 'node', ...uses])).trim();
  const agents = new Map<string, ChildProgram>();
  for (const name of nodes) {
    const edge = `127.0.0.1:${await freePort()}`;
    const flags = ['--data', join(folder, name), '--runtime', 'unconfined', '--edge', edge];
    const words = ['join', controlPlane.announced, '--token', token, '--name', name, ...flags];
    const agent = await startTapline(words, /(agent of \S+ runs)/);
    agents.set(name, agent);
    stack.defer(async () => {
      // An agent leaves serving what serves.
      await agent[Symbol.asyncDispose]();
      endEdge(folder, name);
    });
    say(`$ tapline join ${controlPlane.announced} --token … --name ${name} --edge ${edge}`);
  }

  step('the channel: placed, cached, primed, and validated under load');
  const file = join(folder, 'news.yaml');
  await writeFile(file, manifest(stream.url));
  say(manifest(stream.url).trimEnd());
  await show(['apply', '-f', file]);
  await untilReady();
  await show(['get', 'channels']);

  step('for people: an address, and a signed profile with its QR code');
  await show(['channel', 'url', 'news']);
  await show(['channel', 'onboard', 'news', '--qr']);

  step('a browser plays it with hls.js');
  const url = (await capture(['channel', 'url', 'news'])).trim();
  const script = join(checkout, 'node_modules', 'hls.js', 'dist', 'hls.min.js');
  const page = stack.use(await startPlayerPage(script));
  stack.use(startBrowser(browser, page.pageOf(url), join(folder, 'browser')));
  const first = await played(2);
  say(`playing: ${describe(first)}`);

  const victim = first.pathway ?? nodes[0];
  step(`the node that the player is on dies: ${victim}`);
  agents.get(victim)?.kill();
  endEdge(folder, victim);
  const killedMs = clock.monotonic();
  const second = await played(first.seconds + 6);
  say(`playing: ${describe(second)}`);
  say(
    second.longestStallMs === 0
      ? 'the picture did not stand still'
      : `the picture stood still for ${second.longestStallMs} ms at the most`,
  );
  await untilReady();
  const afterSeconds = ((clock.monotonic() - killedMs) / 1000).toFixed(1);
  say(`the channel is whole again, looked at ${afterSeconds} s after that`);
  await show(['get', 'channels', '-o', 'wide']);
  await show(['channel', 'hit-ratio', 'news']);
  say('\ndone');

  /** Prints each step as it is reached. */
  async function untilReady(): Promise<void> {
    const until = clock.monotonic() + patienceMs;
    let last = '';
    while (last !== 'Ready') {
      const text = await capture(['get', 'channel', 'news', '-o', 'json']);
      const { status = {} } = JSON.parse(text) as {
        status?: { step?: string; stages?: Record<string, number> };
      };
      const { step: now = '', stages = {} } = status;
      if (now !== last) {
        const times = Object.entries(stages).map(([name, one]) => `${name} ${one.toFixed(2)} s`);
        say(`  ${now.padEnd(10)} ${times.join(', ')}`);
      }
      last = now;
      if (clock.monotonic() > until) {
        await show(['describe', 'channel', 'news']);
        throw new TaplineError('demo_failed', `the channel waits for its step ${now}`);
      }
    }
  }

  async function played(seconds: number): Promise<PlayerReport> {
    const until = clock.monotonic() + patienceMs;
    for (;;) {
      const report = page.report(url);
      if (report !== undefined && report.fatal.length > 0) {
        throw new TaplineError('demo_failed', `the player ended: ${report.fatal.join('; ')}`);
      }
      if (report !== undefined && report.seconds >= seconds) return report;
      if (clock.monotonic() > until) {
        throw new TaplineError('demo_failed', `the player has not played ${seconds} s`);
      }
      await clock.sleep(100, { signal });
    }
  }
}

function describe({ seconds, pathway = '?', width, latency }: PlayerReport): string {
  return `at ${seconds.toFixed(1)} s by ${pathway}, ${width} pixels wide, ${latency.toFixed(1)} s behind live`;
}

/** What it takes, and which browser there is. */
function programsHere(): string {
  const browser = browsers.find(isThere);
  if (browser !== undefined && isThere('ffmpeg')) return browser;
  throw new TaplineError('program_missing', 'the demo of channels needs ffmpeg and Chromium', {
    hint: 'on Debian: apt-get install ffmpeg chromium-headless-shell',
  });
}

function isThere(program: string): boolean {
  return spawnSync(program, ['-version'], { stdio: 'ignore', timeout: 20_000 }).error === undefined;
}

function startBrowser(program: string, url: string, profile: string): AsyncDisposable {
  const child = spawn(
    program,
    [
      '--headless',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--autoplay-policy=no-user-gesture-required',
      '--remote-debugging-port=0',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--user-data-dir=${profile}`,
      url,
    ],
    // With the processes that it starts, it is a group.
    { stdio: 'ignore', detached: true },
  );
  const exited = once(child, 'exit').catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await exited;
    },
  };
}

/** Ends the edge cache of a node, as when the power does. */
function endEdge(folder: string, name: string): void {
  try {
    const text = readFileSync(join(folder, name, 'edge', 'edge.pid'), 'utf8');
    process.kill((JSON.parse(text) as { pid: number }).pid, 'SIGKILL');
  } catch {
    // It has served nothing, or has ended.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
