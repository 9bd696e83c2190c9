import { askEdge } from '../edge/admin-socket.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { requiredTextFlag } from '../framework/flag.ts';

export const edgeCacheReload: Command = defineCommand({
  summary: 'Have an edge read its channels and its certificate again; nothing is cut',
  examples: [
    {
      command: 'tapline edge-cache reload --admin /run/tapline-edge.sock',
      explains: 'after a renewal',
    },
  ],
  positionals: [],
  flags: { admin: requiredTextFlag('The socket of the edge', { valueName: 'PATH' }) },
  async run({ console, flags }) {
    await askEdge(flags.admin, { method: 'POST', path: '/v1/reload' });
    console.write('reloaded\n');
    return exitCode.ok;
  },
});
