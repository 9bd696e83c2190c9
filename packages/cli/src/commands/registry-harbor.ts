import { TaplineError } from '@tapline/base';
import type { HarborClient, HarborProgress, HarborStep } from '@tapline/registry';
import { defineCommand, type Command } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, textFlag } from '../framework/flag.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';
import { openRobotLogins, type RobotLogins } from '../registry/robot-logins.ts';

export const registryHarbor: Command = defineCommand({
  summary: 'Bring a project of Harbor to what a file says, or have it replicate now',
  description:
    'The project, its robot accounts, the registries and the replication policies of FILE are made and kept as it says; a second run has nothing to do. What others made in Harbor stays. docs/guides/registry.md has the fields of FILE.',
  examples: [
    {
      command: 'tapline registry harbor harbor.yaml --logins robots.json --dry-run',
      explains: 'only say what would be done',
    },
    {
      command: 'tapline registry harbor harbor.yaml --logins robots.json',
      explains: 'do it; the secrets of robot accounts go to robots.json',
    },
    {
      command: 'tapline registry harbor harbor.yaml --logins robots.json --run to-site-b',
      explains: 'then have Harbor carry out this policy, and wait for its end',
    },
  ],
  positionals: [{ name: 'FILE', description: 'what is to be there, in YAML', required: true }],
  flags: {
    dryRun: booleanFlag('Only say what would be done'),
    logins: textFlag(
      'Where the logins of robot accounts are kept, mode 0600; Harbor tells each secret once',
      { valueName: 'FILE' },
    ),
    run: textFlag('A replication policy to run when all is as it should be', {
      valueName: 'POLICY',
    }),
    output: textOrJsonFlag,
  },
  async run({ console, positionals: [path = ''], flags }) {
    const { clock, signal } = console;
    const { dryRun, run: policy } = flags;
    if (dryRun && policy !== undefined) {
      throw new TaplineError('usage', '--run does something and --dry-run does not', {
        hint: 'give one of them',
      });
    }
    const { loadHarborFile } = await import('../registry/harbor-file.ts');
    const file = await loadHarborFile(path, console.environment);
    const { desired, server, caPem, login } = file;
    const logins = await loginsOf(flags.logins, {
      server,
      project: desired.project.name,
      robots: desired.robots.length,
    });
    const harbor = await import('@tapline/registry');
    await using client = harbor.createHarborClient({
      baseUrl: server,
      ...login,
      clock,
      ...(caPem !== undefined && { tls: { ca: caPem } }),
    });
    const isText = flags.output === 'text';
    const tell = (step: HarborStep): void => {
      if (isText) console.write(`${harbor.describeHarborStep(step)}\n`);
    };
    const knowsSecret = (robot: string): boolean => logins?.has(robot) === true;
    let steps: readonly HarborStep[];
    if (dryRun) {
      const observed = await harbor.observeHarbor(client, desired, { signal });
      steps = harbor.planHarbor(desired, observed, { nowMs: clock.now(), knowsSecret });
      steps.forEach(tell);
    } else {
      steps = await harbor.ensureHarbor(client, desired, {
        clock,
        knowsSecret,
        async onLogin(robot) {
          await logins?.put(robot);
        },
        onStep: tell,
        signal,
      });
    }
    if (isText) console.write(summary(steps.length, dryRun));
    const execution = policy === undefined ? undefined : await runPolicy(client, policy, console);
    if (isText) {
      if (execution !== undefined) console.write(`${policy}: ${execution.done} copied\n`);
    } else {
      // A step holds the passwords of registries: only its words go out.
      const described = steps.map((step) => ({
        kind: step.kind,
        description: harbor.describeHarborStep(step),
      }));
      const ran = execution === undefined ? {} : { run: { policy, ...execution } };
      console.write(`${JSON.stringify({ dryRun, steps: described, ...ran })}\n`);
    }
    return exitCode.ok;
  },
});

async function loginsOf(
  path: string | undefined,
  of: { readonly server: string; readonly project: string; readonly robots: number },
): Promise<RobotLogins | undefined> {
  const { robots, ...project } = of;
  if (path !== undefined) return await openRobotLogins(path, project);
  if (robots === 0) return undefined;
  throw new TaplineError(
    'usage',
    `--logins is missing: Harbor tells the secrets of ${robots} robot accounts once`,
    { hint: 'name the file where they are kept; it is made where there is none' },
  );
}

async function runPolicy(
  client: HarborClient,
  policy: string,
  console: Console,
): Promise<HarborProgress> {
  const { runHarborPolicy } = await import('@tapline/registry');
  const line = createProgressLine(console);
  let last: HarborProgress = { done: 0, failed: 0, total: 0 };
  try {
    await runHarborPolicy(client, policy, {
      clock: console.clock,
      signal: console.signal,
      onProgress(progress) {
        last = progress;
        const text = progress.failed === 0 ? policy : `${policy}, ${progress.failed} failed`;
        line.show({ text, done: progress.done, of: progress.total });
      },
    });
  } finally {
    line.clear();
  }
  return last;
}

function summary(steps: number, dryRun: boolean): string {
  if (steps === 0) return 'all is as it should be\n';
  const what = `${steps} ${steps === 1 ? 'step' : 'steps'}`;
  return dryRun ? `${what} to take; nothing was changed\n` : `${what} taken\n`;
}
