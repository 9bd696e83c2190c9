import { opsPolicyResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { durationFlag, textFlag } from '../framework/flag.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const opsPause: Command = defineCommand({
  summary: 'Have OpsBot begin nothing; what runs is finished',
  examples: [
    {
      command: 'tapline ops pause --reason "moving racks" --for 2h',
      explains: 'it goes on by itself after two hours',
    },
    { command: 'tapline ops pause', explains: 'until tapline ops resume' },
  ],
  positionals: [],
  flags: {
    reason: textFlag('Why, for who wonders'),
    for: durationFlag('For how long; 0s is until tapline ops resume', { default: '0s' }),
    output: textOrJsonFlag,
    ...connectionFlags,
  },
  async run({ console, flags }) {
    const { client } = await connect(flags, console);
    const until = flags.for === 0 ? null : new Date(console.clock.now() + flags.for).toISOString();
    const body = { spec: { paused: true, reason: flags.reason ?? null, pausedUntil: until } };
    const { signal } = console;
    const policy = await client.patch(
      opsPolicyResource,
      'default',
      { kind: 'merge', body },
      { signal },
    );
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify(policy)}\n`
        : `OpsBot is paused${until === null ? '' : ` until ${until}`}\n`,
    );
    return exitCode.ok;
  },
});
