import { opsPolicyResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const opsResume: Command = defineCommand({
  summary: 'Let OpsBot act again',
  examples: [
    { command: 'tapline ops resume', explains: 'after tapline ops pause' },
    {
      command: 'tapline ops resume --reset',
      explains: 'playbooks that failed too often may try again, too',
    },
  ],
  positionals: [],
  flags: {
    reset: booleanFlag('Forget failures that hold playbooks back'),
    output: textOrJsonFlag,
    ...connectionFlags,
  },
  async run({ console, flags }) {
    const { client } = await connect(flags, console);
    const { signal } = console;
    const found = await client.get(opsPolicyResource, 'default', { signal });
    const resets = found.spec.resets + (flags.reset ? 1 : 0);
    const body = { spec: { paused: null, reason: null, pausedUntil: null, resets } };
    const policy = await client.patch(
      opsPolicyResource,
      'default',
      { kind: 'merge', body },
      { signal },
    );
    console.write(flags.output === 'json' ? `${JSON.stringify(policy)}\n` : 'OpsBot may act\n');
    return exitCode.ok;
  },
});
