import { askEdge } from '../edge/admin-socket.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, requiredTextFlag } from '../framework/flag.ts';

export const edgeCachePin: Command = defineCommand({
  summary: 'Keep an object on an edge however little it is asked for',
  description:
    'A pin holds for what is there and for what comes later, also after a restart where the edge has a disk. What is pinned takes half of it at most.',
  examples: [
    {
      command: 'tapline edge-cache pin news /news/intro.mp4 --admin /run/tapline-edge.sock',
      explains: 'what every viewer sees first',
    },
    {
      command:
        'tapline edge-cache pin news /news/intro.mp4 --remove --admin /run/tapline-edge.sock',
      explains: 'it may go again',
    },
  ],
  positionals: [
    { name: 'CHANNEL', description: 'whose', required: true },
    { name: 'PATH', description: 'path and query, as players ask for it', required: true },
  ],
  flags: {
    admin: requiredTextFlag('The socket of the edge', { valueName: 'PATH' }),
    remove: booleanFlag('No longer'),
  },
  async run({ console, positionals: [channel, target], flags }) {
    const pinned = !flags.remove;
    const body = { channel, target, pinned };
    await askEdge(flags.admin, { method: 'POST', path: '/v1/pin', body });
    console.write(pinned ? 'pinned\n' : 'no longer pinned\n');
    return exitCode.ok;
  },
});
