import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { createDemoShell, findCheckout, installSystemPackages } from './demo-shell.ts';
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
  const environment = {
    ...console.environment,
    ...source.environment,
    TAPLINE_KUBECONFIG: join(folder, 'control-plane', 'admin.kubeconfig'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  };
  const { step, say, startTapline, show, capture } = createDemoShell(console, environment);
  say(`source: ${source.description}`);

  step('a control plane on loopback');
  const up = ['up', '--data', join(folder, 'control-plane'), '--listen', '127.0.0.1:0'];
  const controlPlane = stack.use(await startTapline(up, /ready at (https:\S+)/));
  const server = controlPlane.announced;
  say(`$ tapline up    → ${server}`);

  step(`two devices, each with a key of its own${runtime.note}`);
  const token = (await capture(['token', 'create', '--uses', String(devices.length)])).trim();
  say(`$ tapline token create --uses ${devices.length}`);
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
    say(`$ tapline join ${server} --token … --name ${name} --label team=design`);
  }

  step('cold: from a formula to a started program on both');
  await show(['deploy', 'jq', '--to', 'team=design', '--wait']);

  step('used on a device, with real input');
  say(document.trim());
  await show(
    ['exec', 'jq', '--on', devices[0], '--', 'jq', '-c', '.devices | map({(.id): .ms}) | add'],
    { stdin: document },
  );

  step('warm: the same again, nothing to fetch');
  await show(['deploy', 'jq', '--wait']);

  step('a version that cannot start: the devices go back by themselves');
  await show(['deploy', 'jq@1.7.1', '--wait'], { expect: exitCode.notReady });
  await show(['get', 'installs', '-o', 'wide']);
  await show(['exec', 'jq', '--on', devices[1], '--', 'jq', '--version']);

  step('and the fleet goes back, too');
  await show(['rollback', 'jq', '--wait']);

  say(`\ndone in ${((clock.monotonic() - began) / 1000).toFixed(1)} s`);
  if (keep) {
    say(
      `\nrunning until Ctrl-C: ${server}\n  export TAPLINE_KUBECONFIG=${environment.TAPLINE_KUBECONFIG}`,
    );
    say(
      '  tapline get all\n  tapline describe delivery jq\n  kubectl --kubeconfig $TAPLINE_KUBECONFIG get installs',
    );
    if (!signal.aborted) await once(signal, 'abort');
  }
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
