import { TaplineError } from '@tapline/base';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { type ChildProgram, startChildProgram } from './child-program.ts';
import { openHomebrewSource } from './homebrew-source.ts';

const devices = ['ipad-1', 'edge-1'] as const;
const document = '{"name":"tapline","devices":[{"id":"ipad-1","ms":41},{"id":"edge-1","ms":38}]}\n';

/** The whole demo: every line that begins with $ is a command a user would type, run as one. */
export async function runDemo(
  console: Console,
  { keep }: { readonly keep: boolean },
): Promise<void> {
  const began = console.clock.monotonic();
  const { clock, signal } = console;
  const checkout = findCheckout();
  installSystemPackages(checkout);
  const runtime = runtimeHere();
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tapline-demo-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  // Containers in user namespaces have to pass through it.
  await chmod(folder, 0o711);

  const source = stack.use(
    await openHomebrewSource({ environment: console.environment, checkout, clock, signal }),
  );
  say(console, `source: ${source.description}`);
  const environment = {
    ...console.environment,
    ...source.environment,
    TAPLINE_KUBECONFIG: join(folder, 'control-plane', 'admin.kubeconfig'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  };

  step(console, 'a control plane on loopback');
  const up = ['up', '--data', join(folder, 'control-plane'), '--listen', '127.0.0.1:0'];
  const controlPlane = stack.use(await startTapline(up, /ready at (https:\S+)/));
  const server = controlPlane.announced;
  say(console, `$ tapline up    → ${server}`);

  step(console, `two devices, each with a key of its own${runtime.note}`);
  const token = (await capture(['token', 'create', '--uses', String(devices.length)])).trim();
  say(console, `$ tapline token create --uses ${devices.length}`);
  for (const name of devices) {
    const words = [
      'join',
      server,
      '--token',
      token,
      '--name',
      name,
      '--label',
      'team=design',
      '--data',
      join(folder, name),
    ];
    stack.use(await startTapline([...words, ...runtime.flags], /(agent of \S+ runs)/));
    say(console, `$ tapline join ${server} --token … --name ${name} --label team=design`);
  }

  step(console, 'cold: from a formula to a started program on both');
  await show(['deploy', 'jq', '--to', 'team=design', '--wait']);

  step(console, 'used on a device, with real input');
  say(console, document.trim());
  await show(
    ['exec', 'jq', '--on', devices[0], '--', 'jq', '-c', '.devices | map({(.id): .ms}) | add'],
    { stdin: document },
  );

  step(console, 'warm: the same again, nothing to fetch');
  await show(['deploy', 'jq', '--wait']);

  step(console, 'a version that cannot start: the devices go back by themselves');
  await show(['deploy', 'jq@1.7.1', '--wait'], { expect: exitCode.notReady });
  await show(['get', 'installs', '-o', 'wide']);
  await show(['exec', 'jq', '--on', devices[1], '--', 'jq', '--version']);

  step(console, 'and the fleet goes back, too');
  await show(['rollback', 'jq', '--wait']);

  say(console, `\ndone in ${((clock.monotonic() - began) / 1000).toFixed(1)} s`);
  if (keep) {
    say(
      console,
      `\nrunning until Ctrl-C: ${server}\n  export TAPLINE_KUBECONFIG=${environment.TAPLINE_KUBECONFIG}`,
    );
    say(
      console,
      '  tapline get all\n  tapline describe delivery jq\n  kubectl --kubeconfig $TAPLINE_KUBECONFIG get installs',
    );
    if (!signal.aborted) await once(signal, 'abort');
  }

  function startTapline(words: readonly string[], announces: RegExp): Promise<ChildProgram> {
    return startChildProgram([process.execPath, process.argv[1] ?? '', ...words], {
      announces,
      environment,
      timeoutMs: 30_000,
      clock,
      signal,
    });
  }

  /** Runs a command as the user would, its output going where ours goes. */
  async function show(
    words: readonly string[],
    { stdin, expect = exitCode.ok }: { readonly stdin?: string; readonly expect?: number } = {},
  ): Promise<void> {
    say(
      console,
      `$ ${stdin === undefined ? '' : 'echo … | '}tapline ${words.map(quoted).join(' ')}`,
    );
    const child = spawn(process.execPath, [process.argv[1] ?? '', ...words], {
      env: environment,
      stdio: ['pipe', 'inherit', 'inherit'],
      signal,
    });
    child.stdin.end(stdin ?? '');
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === expect) return;
    throw new TaplineError(
      'demo_failed',
      `tapline ${words.join(' ')} ended with ${code}; expected ${expect}`,
    );
  }

  async function capture(words: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [process.argv[1] ?? '', ...words], {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
      signal,
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return Buffer.concat(chunks).toString('utf8');
    throw new TaplineError('demo_failed', `tapline ${words.join(' ')} ended with ${code}`);
  }
}

function step(console: Console, text: string): void {
  console.write(`\n${console.isTerminal ? `\u001B[1m${text}\u001B[0m` : `# ${text}`}\n`);
}

function say(console: Console, text: string): void {
  console.write(`${text}\n`);
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

/** Debian packages that the demo runs, installed where this user may; one line says so. */
function installSystemPackages(checkout: string): void {
  spawnSync(process.execPath, [join(checkout, 'tools', 'system-packages.ts'), '--for', 'demo'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function runtimeHere(): { readonly flags: readonly string[]; readonly note: string } {
  const isRoot = process.getuid?.() === 0;
  const hasRunc = spawnSync('runc', ['--version'], { stdio: 'ignore' }).status === 0;
  if (isRoot && hasRunc) return { flags: [], note: ', programs in runc containers' };
  return {
    flags: ['--runtime', 'unconfined'],
    note: `, programs unconfined (${isRoot ? 'runc is missing' : 'not root'})`,
  };
}

/** The nearest folder above the running program that holds the project's tools. */
function findCheckout(): string {
  for (let folder = dirname(realpathSync(process.argv[1] ?? '')); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'tools', 'bottle-mirror', 'main.ts'))) return folder;
    if (folder === dirname(folder)) {
      throw new TaplineError('no_checkout', 'the demo runs from a checkout of the project only');
    }
  }
}
