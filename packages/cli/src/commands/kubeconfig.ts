import { readFile } from 'node:fs/promises';
import { kubeconfigPath } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';

export const kubeconfig: Command = defineCommand({
  summary: 'Print the kubeconfig in use, for kubectl and other tools',
  examples: [
    { command: 'tapline kubeconfig > ~/.kube/tapline', explains: 'keep it; it holds a credential' },
    { command: 'kubectl --kubeconfig <(tapline kubeconfig) get devices', explains: 'use it once' },
  ],
  positionals: [],
  flags: { kubeconfig: connectionFlags.kubeconfig },
  async run({ console, flags }) {
    console.write(await readFile(kubeconfigPath(flags.kubeconfig, console.environment)));
    return exitCode.ok;
  },
});
