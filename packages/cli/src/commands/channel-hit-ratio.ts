import { channelEdgeResource, channelResource, type EdgeHits } from '@tapline/resources';
import { channelPositional, formatFlag } from '../channel/channel-flags.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { formatTable } from '../output/format-table.ts';

export const channelHitRatio: Command = defineCommand({
  summary: 'Show how much of what is asked of a channel its caches answer',
  description:
    'Of each edge what players asked since it started, and what the load of the last validation came to. Misses for content are of what was not in the cache, for health of an edge or origin that failed, others of what was there and stale.',
  examples: [
    { command: 'tapline channel hit-ratio news', explains: 'as a table' },
    { command: 'tapline channel hit-ratio news -o json', explains: 'for programs' },
  ],
  positionals: [channelPositional],
  flags: { output: formatFlag, ...connectionFlags },
  async run({ console, positionals: [name = ''], flags }) {
    const { client } = await connect(flags, console);
    const { signal } = console;
    const { spec, status } = await client.get(channelResource, name, { signal });
    const fieldSelector = `spec.channel=${name}`;
    const { items } = await client.list(channelEdgeResource, { fieldSelector, signal });
    const edges = items.map((edge) => ({
      node: edge.spec.node,
      traffic: edge.status?.traffic,
      validation: edge.status?.validation,
    }));
    if (flags.output === 'json') {
      const { traffic, validation } = status ?? {};
      const objective = spec.objectives.hitRatio;
      console.write(`${JSON.stringify({ objective, traffic, validation, edges })}\n`);
      return exitCode.ok;
    }
    const rows = [
      ...edges.map(({ node, traffic, validation }) => row(node, traffic, validation)),
      row('all', status?.traffic, status?.validation),
    ];
    console.write(
      formatTable(
        ['EDGE', 'PLAYERS', 'HIT RATIO', 'VALIDATION', 'CONTENT', 'HEALTH', 'OTHER'],
        rows,
      ),
    );
    console.write(`objective ${percent(spec.objectives.hitRatio)}\n`);
    return exitCode.ok;
  },
});

function row(
  name: string,
  traffic: EdgeHits | undefined,
  validation: EdgeHits | undefined,
): readonly string[] {
  const { content = 0, health = 0, other = 0 } = validation?.misses ?? {};
  const known = validation !== undefined;
  return [
    name,
    String(traffic?.requests ?? 0),
    traffic === undefined || traffic.requests === 0 ? '–' : percent(traffic.ratio),
    known ? percent(validation.ratio) : '–',
    ...[content, health, other].map((count) => (known ? String(count) : '–')),
  ];
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
