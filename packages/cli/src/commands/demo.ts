import { TaplineError } from '@tapline/base';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';

export const demo: Command = defineCommand({
  summary: 'Show a delivery from formula to running process, on this machine, in under two minutes',
  description:
    'Starts a control plane on loopback and two devices with their data in a temporary folder, delivers jq cold and warm, uses it, delivers a version that cannot start and lets the device roll itself back. Leaves nothing behind.',
  examples: [
    { command: 'tapline demo', explains: 'all of it' },
    {
      command: 'tapline demo --keep',
      explains: 'and leave it running, with addresses and next commands',
    },
  ],
  positionals: [],
  flags: {
    keep: booleanFlag('Leave it running until Ctrl-C'),
  },
  async run({ console, flags }) {
    const { runDemo } = await import('../demo/run-demo.ts');
    try {
      await runDemo(console, { keep: flags.keep });
      return exitCode.ok;
    } catch (error) {
      if (console.signal.aborted)
        throw new TaplineError('interrupted', 'the demo was stopped; nothing is left behind');
      throw error;
    }
  },
});
