import { agentFlags } from '../device/agent-flags.ts';
import { runAgent } from '../device/run-agent.ts';
import { defineCommand, type Command } from '../framework/command.ts';

export const agent: Command = defineCommand({
  summary: 'Run the agent of a device that has joined, as after a restart',
  description:
    'Restarts what should run and converges, also while the control plane cannot be reached. Stopping it leaves running what runs.',
  examples: [
    { command: 'tapline agent --data /var/lib/tapline/agent', explains: 'from a service manager' },
  ],
  positionals: [],
  flags: agentFlags,
  run: ({ console, flags }) => runAgent(flags, console),
});
