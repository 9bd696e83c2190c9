import { incidentResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';
import { outputFlags } from '../output/output-flags.ts';
import { printObjects } from '../output/print-objects.ts';

export const opsIncidents: Command = defineCommand({
  summary: 'Show what is wrong: faults, grouped by what explains them',
  examples: [
    { command: 'tapline ops incidents', explains: 'those that are open' },
    {
      command: 'tapline ops incidents --all -o json',
      explains: 'the past week, too, for programs',
    },
  ],
  positionals: [],
  flags: {
    all: booleanFlag('Those that are over, too'),
    ...outputFlags,
    ...connectionFlags,
  },
  async run({ console, flags }) {
    const { client } = await connect(flags, console);
    const { items } = await client.list(incidentResource, { signal: console.signal });
    const shown = items.filter(({ status }) => flags.all || status?.phase !== 'Resolved');
    if (shown.length === 0 && ['table', 'wide'].includes(flags.output)) {
      console.write('nothing is known to be wrong\n');
      return exitCode.ok;
    }
    console.write(
      await printObjects(incidentResource, shown, {
        format: flags.output,
        noHeaders: flags.noHeaders,
        nowMs: console.clock.now(),
        withKind: false,
      }),
    );
    return exitCode.ok;
  },
});
