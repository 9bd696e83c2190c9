import type { Reading } from '../fabric-helper.ts';
import type { RunProgram } from './run-program.ts';

interface Batch {
  readonly command: readonly [string, ...string[]];
  /** What to write for each reading, in this order. The same line for two of them is asked once. */
  readonly lines: Readonly<Partial<Record<Reading, string>>>;
}

/**
 * Addresses with details and statistics are the list of links, too, and a ruleset has its counters.
 * Each command prints a line of JSON, but those of `ip xfrm`, which have none and after which `ip`
 * ends: they are the last of their batch. With statistics it says more of each policy than what is
 * read here, so policies are where there are none.
 */
const batches: readonly Batch[] = [
  {
    command: ['ip', '-j', '-d', '-s', '-batch', '-'],
    lines: {
      links: 'address show',
      addresses: 'address show',
      statistics: 'address show',
      xfrmStates: 'xfrm state list nokeys',
    },
  },
  {
    command: ['ip', '-j', '-batch', '-'],
    lines: { neighbours: 'neigh show', xfrmPolicies: 'xfrm policy' },
  },
  {
    command: ['bridge', '-j', '-batch', '-'],
    lines: {
      fdb: 'fdb show',
      vlans: 'vlan tunnelshow',
      portVlans: 'vlan show',
      vnis: 'vni show',
    },
  },
  { command: ['tc', '-j', '-batch', '-'], lines: { qdiscs: 'qdisc show' } },
  // Its `-f -` opens /dev/stdin by its name, which is no socket's.
  { command: ['nft', '-j', '-i'], lines: { nft: 'list ruleset', counters: 'list ruleset' } },
];

/** Programs that wait for what they are to read, as {@link readTogether} starts them. */
export const readingPrograms: readonly (readonly [string, ...string[]])[] = batches.map(
  ({ command }) => command,
);

/**
 * A process for each program, and not for each reading. Without those whose batch did not end well,
 * as where a kernel has not all of it: they are to be read each on its own.
 */
export async function readTogether(
  what: readonly Reading[],
  run: RunProgram,
): Promise<Partial<Record<Reading, string>>> {
  const found = await Promise.all(batches.map(async (batch) => await readBatch(batch, what, run)));
  return Object.assign({}, ...found) as Partial<Record<Reading, string>>;
}

async function readBatch(
  { command, lines }: Batch,
  what: readonly Reading[],
  run: RunProgram,
): Promise<Partial<Record<Reading, string>>> {
  const asked = (Object.entries(lines) as [Reading, string][]).filter(([reading]) =>
    what.includes(reading),
  );
  const written = [...new Set(asked.map(([, line]) => line))];
  if (written.length === 0) return {};
  const { code, stdout } = await run(command, { stdin: `${written.join('\n')}\n` });
  const outputs = code === 0 ? split(stdout, written) : undefined;
  if (outputs === undefined) return {};
  return Object.fromEntries(
    asked.map(([reading, line]) => [reading, outputs[written.indexOf(line)] ?? '']),
  );
}

/** What is printed for each line; undefined where it is not what was asked for. */
function split(stdout: string, written: readonly string[]): readonly string[] | undefined {
  const outputs: string[] = [];
  let rest = stdout;
  for (const line of written) {
    if (line.startsWith('xfrm ')) return [...outputs, rest];
    const [, json, after] = /^\n*([[{].*)\n([^]*)$/.exec(rest) ?? [];
    if (json === undefined || after === undefined) return undefined;
    outputs.push(json);
    rest = after;
  }
  return rest.trim() === '' ? outputs : undefined;
}
