import { TaplineError } from '@tapline/base';
import { filterBatch, observationCommands } from '@tapline/segments';
import type { Reading } from '../fabric-helper.ts';
import type { RunProgram } from './run-program.ts';

const commands = {
  ...observationCommands,
  routes: ['ip', '-j', 'route', 'show', 'dev', 'tw0'],
  statistics: ['ip', '-j', '-s', 'link'],
  counters: ['nft', '-j', 'list', 'counters'],
  macsecCounters: ['ip', '-j', '-s', 'macsec', 'show'],
} as const;

/** What a kernel or node may not have; then there is nothing of it. All others must answer. */
const optional: ReadonlySet<Reading> = new Set([
  'vnis',
  'vlans',
  'xfrmStates',
  'xfrmPolicies',
  'wireguard',
  'macsec',
  'macsecCounters',
  'routes',
]);

/** Runs the commands beside each other. Throws `kernel_unreadable`. */
export async function readKernel(
  what: readonly Reading[],
  run: RunProgram,
): Promise<Readonly<Partial<Record<Reading, string>>>> {
  const known = what.filter((reading) => reading === 'filters' || Object.hasOwn(commands, reading));
  const plain = known.filter((reading) => reading !== 'filters');
  const outputs = await Promise.all(
    plain.map(async (reading) => [reading, await readOne(reading, run)] as const),
  );
  const result: Partial<Record<Reading, string>> = Object.fromEntries(outputs);
  if (known.includes('filters')) {
    const batch = filterBatch(result.qdiscs ?? (await readOne('qdiscs', run)));
    result.filters =
      batch === ''
        ? ''
        : await output('filters', ['tc', '-j', '-batch', '-'], { stdin: batch, run });
  }
  return result;
}

async function readOne(reading: Exclude<Reading, 'filters'>, run: RunProgram): Promise<string> {
  const text = await output(reading, commands[reading], { run });
  return reading === 'wireguard' ? withoutKeys(text) : text;
}

async function output(
  reading: Reading,
  command: readonly [string, ...string[]],
  { run, stdin }: { readonly stdin?: string; readonly run: RunProgram },
): Promise<string> {
  const { code, stdout, stderr } = await run(command, stdin === undefined ? {} : { stdin });
  if (code === 0) return stdout;
  if (optional.has(reading)) return '';
  throw new TaplineError(
    'kernel_unreadable',
    `${command.join(' ')} failed (${code}): ${stderr.trim().slice(0, 300)}`,
    { hint: 'check that iproute2 and nftables are installed' },
  );
}

/** Private keys stand in the second field of a device, shared ones in the third of a peer. */
function withoutKeys(dump: string): string {
  return dump
    .split('\n')
    .map((line) => {
      const fields = line.split('\t');
      const secret = fields.length === 5 ? 1 : fields.length === 9 ? 2 : undefined;
      return fields.map((field, index) => (index === secret ? '(none)' : field)).join('\t');
    })
    .join('\n');
}
