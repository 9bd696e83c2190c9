import { formatAge, formatBytes, TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, durationFlag } from '../framework/flag.ts';
import { formatTable } from '../output/format-table.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { adminJson } from '../registry/admin-request.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

interface PolicyStatus {
  readonly name: string;
  readonly direction: 'push' | 'pull';
  readonly waiting: number;
  readonly running: number;
  readonly done: number;
  readonly lastRun?: string;
  readonly lastError?: string;
  readonly active: readonly {
    readonly repository: string;
    readonly reference: string;
    readonly doneBytes: number;
    readonly totalBytes: number;
  }[];
}

const pollMs = 500;

export const registryReplicate: Command = defineCommand({
  summary: 'Show what is replicated with other registries, or have a policy run now',
  examples: [
    { command: 'tapline registry replicate', explains: 'every policy, its backlog and last error' },
    {
      command: 'tapline registry replicate to-site-b --wait',
      explains: 'look through its source now, and wait until all is copied',
    },
  ],
  positionals: [{ name: 'POLICY', description: 'have this one run', required: false }],
  flags: {
    wait: booleanFlag('Wait until the backlog of the policy is empty'),
    timeout: durationFlag('How long to wait', { default: '10m' }),
    output: textOrJsonFlag,
    ...connectionFlags,
  },
  async run({ console, positionals: [policy], flags }) {
    if (policy === undefined && flags.wait) {
      throw new TaplineError('usage', '--wait is for one policy', {
        hint: 'name it: tapline registry replicate POLICY --wait',
      });
    }
    const { context } = await connect(flags, console);
    if (policy === undefined) {
      const policies = await statusOf(context, console);
      console.write(
        flags.output === 'json'
          ? `${JSON.stringify(policies)}\n`
          : table(policies, console.clock.now()),
      );
      return exitCode.ok;
    }
    const path = `/registry/v1/replication/${encodeURIComponent(policy)}`;
    const begun = await adminJson<{ tasks: number }>(context, { method: 'POST', path }, console);
    if (flags.wait) await waitFor(policy, { context, console, timeoutMs: flags.timeout });
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify(begun)}\n`
        : `${begun.tasks} tags of ${policy} ${flags.wait ? 'are up to date' : 'are in the backlog'}\n`,
    );
    return exitCode.ok;
  },
});

async function statusOf(
  context: KubeconfigContext,
  console: Console,
): Promise<readonly PolicyStatus[]> {
  const path = '/registry/v1/replication';
  const { policies } = await adminJson<{ policies: readonly PolicyStatus[] }>(
    context,
    { method: 'GET', path },
    console,
  );
  return policies;
}

async function waitFor(
  name: string,
  {
    context,
    console,
    timeoutMs,
  }: { readonly context: KubeconfigContext; readonly console: Console; readonly timeoutMs: number },
): Promise<void> {
  const line = createProgressLine(console);
  const deadlineMs = console.clock.monotonic() + timeoutMs;
  let most = 0;
  for (;;) {
    const policy = (await statusOf(context, console)).find((one) => one.name === name);
    const left = policy === undefined ? 0 : policy.waiting + policy.running;
    if (left === 0) break;
    most = Math.max(most, left);
    if (console.clock.monotonic() > deadlineMs) {
      line.clear();
      const why = policy?.lastError === undefined ? '' : `: ${policy.lastError}`;
      throw new TaplineError('timed_out', `${left} tags of ${name} are still to copy${why}`);
    }
    const [first] = policy?.active ?? [];
    const text =
      first === undefined
        ? 'waiting'
        : `${first.repository}:${first.reference} ${formatBytes(first.doneBytes)} of ${formatBytes(first.totalBytes)}`;
    line.show({ text, done: most - left, of: most });
    await console.clock.sleep(pollMs, { signal: console.signal });
  }
  line.clear();
}

function table(policies: readonly PolicyStatus[], nowMs: number): string {
  const rows = policies.map((policy) => [
    policy.name,
    policy.direction,
    String(policy.waiting),
    String(policy.running),
    String(policy.done),
    policy.lastRun === undefined ? '' : formatAge(policy.lastRun, nowMs),
    policy.lastError ?? '',
  ]);
  return formatTable(
    ['POLICY', 'DIRECTION', 'WAITING', 'RUNNING', 'COPIED', 'LAST RUN', 'LAST ERROR'],
    rows,
  );
}
