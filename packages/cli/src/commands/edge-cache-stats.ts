import { formatBytes, isRecord } from '@tapline/base';
import { askEdge } from '../edge/admin-socket.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { requiredTextFlag, textFlagWithDefault } from '../framework/flag.ts';

export const edgeCacheStats: Command = defineCommand({
  summary: 'Show what an edge keeps and how often it had what was asked for',
  examples: [
    {
      command: 'tapline edge-cache stats --admin /run/tapline-edge.sock',
      explains: 'since its start',
    },
  ],
  positionals: [],
  flags: {
    admin: requiredTextFlag('The socket of the edge', { valueName: 'PATH' }),
    output: textFlagWithDefault('How it is written', {
      short: 'o',
      choices: ['text', 'json'],
      default: 'text',
    }),
  },
  async run({ console, flags }) {
    const stats = await askEdge(flags.admin, { method: 'GET', path: '/v1/stats' });
    if (flags.output === 'json') {
      console.write(`${JSON.stringify(stats)}\n`);
      return exitCode.ok;
    }
    const value = (name: string): number => (isRecord(stats) ? Number(stats[name]) : 0);
    const asked = value('hits') + value('misses');
    const ratio = asked === 0 ? '–' : `${((100 * value('hits')) / asked).toFixed(1)} %`;
    console.write(
      [
        `hit ratio   ${ratio} of ${asked}`,
        `passed      ${value('passes')}`,
        `origin      ${value('fetches')} requests, ${value('originFailures')} failed`,
        `kept        ${value('objects')} objects, ${formatBytes(value('bytes'))}`,
        '',
      ].join('\n'),
    );
    return exitCode.ok;
  },
});
