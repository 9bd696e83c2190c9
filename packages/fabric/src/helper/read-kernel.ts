import { TaplineError } from '@tapline/base';
import { filterBatch, ipsecTableName, observationCommands } from '@tapline/segments';
import type { Reading } from '../fabric-helper.ts';
import { readTogether } from './read-together.ts';
import type { RunProgram } from './run-program.ts';

const commands = {
  ...observationCommands,
  routes: ['ip', '-j', 'route', 'show', 'dev', 'tw0'],
  statistics: ['ip', '-j', '-s', 'link'],
  vniCounters: ['bridge', '-j', '-s', 'vni', 'show'],
  counters: ['nft', '-j', 'list', 'ruleset'],
  macsecCounters: ['ip', '-j', '-s', 'macsec', 'show'],
} as const;

type PlainReading = Exclude<Reading, 'filters'>;

/** What a kernel or node may not have; then there is nothing of it. All others must answer. */
const optional: ReadonlySet<Reading> = new Set([
  'vnis',
  'vniCounters',
  'vlans',
  'portVlans',
  'xfrmStates',
  'xfrmPolicies',
  'wireguard',
  'macsec',
  'macsecCounters',
  'routes',
]);

/** What only is where the list of links has such a device. */
const ofDevices = {
  wireguard: /"info_kind":"(?:wireguard|tun)"/,
  routes: /"ifname":"tw0"/,
  macsec: /"info_kind":"macsec"/,
  macsecCounters: /"info_kind":"macsec"/,
  vniCounters: /"ifname":"tv000[0-9]"/,
} as const satisfies Partial<Record<PlainReading, RegExp>>;

/**
 * Reads beside each other what is asked, by few processes: to start one takes longer than to read.
 * Throws `kernel_unreadable`.
 */
export async function readKernel(
  what: readonly Reading[],
  run: RunProgram,
): Promise<Readonly<Partial<Record<Reading, string>>>> {
  const known = what.filter((reading) => reading === 'filters' || Object.hasOwn(commands, reading));
  const plain = known.filter((reading) => reading !== 'filters');
  const isOfDevices = (reading: PlainReading): reading is keyof typeof ofDevices =>
    plain.includes('links') && Object.hasOwn(ofDevices, reading);
  const absent = new Set<Reading>();
  const found = await readAll(
    plain.filter((reading) => !isOfDevices(reading)),
    { run, absent },
  );
  checkIpsec(found.nft, absent);
  const rest = plain.filter(
    (reading) => isOfDevices(reading) && ofDevices[reading].test(found.links ?? ''),
  );
  const [more, filters] = await Promise.all([
    readAll(rest, { run, absent }),
    known.includes('filters') ? readFilters(found.qdiscs, run) : undefined,
  ]);
  const none = Object.fromEntries(plain.filter(isOfDevices).map((reading) => [reading, '']));
  return { ...none, ...found, ...more, ...(filters === undefined ? {} : { filters }) };
}

/**
 * Without its associations a node with IPsec would look as if there were none, and lose the rules that keep
 * closed what those still decrypt.
 */
function checkIpsec(nft: string | undefined, absent: ReadonlySet<Reading>): void {
  const isUnseen = absent.has('xfrmStates') || absent.has('xfrmPolicies');
  if (!isUnseen || nft?.includes(`"${ipsecTableName}"`) !== true) return;
  throw new TaplineError(
    'kernel_unreadable',
    `the kernel has table ${ipsecTableName}, and ip xfrm does not say what is encrypted`,
    { hint: 'load the module xfrm_user; until then everything stays as it is' },
  );
}

interface ReadingContext {
  readonly run: RunProgram;
  /** Takes what the kernel or node has not. */
  readonly absent: Set<Reading>;
}

async function readAll(
  what: readonly PlainReading[],
  { run, absent }: ReadingContext,
): Promise<Partial<Record<Reading, string>>> {
  const together = await readTogether(what, run);
  const alone = what.filter((reading) => !Object.hasOwn(together, reading));
  const outputs = await Promise.all(
    alone.map(async (reading) => [reading, await readOne(reading, { run, absent })] as const),
  );
  return { ...together, ...Object.fromEntries(outputs) };
}

async function readFilters(qdiscs: string | undefined, run: RunProgram): Promise<string> {
  const batch = filterBatch(qdiscs ?? (await readOne('qdiscs', { run, absent: new Set() })));
  if (batch === '') return '';
  return await output('filters', ['tc', '-j', '-batch', '-'], { stdin: batch, run });
}

async function readOne(reading: PlainReading, context: ReadingContext): Promise<string> {
  const text = await output(reading, commands[reading], context);
  return reading === 'wireguard' ? withoutKeys(text) : text;
}

async function output(
  reading: Reading,
  command: readonly [string, ...string[]],
  {
    run,
    stdin,
    absent,
  }: Partial<ReadingContext> & Pick<ReadingContext, 'run'> & { readonly stdin?: string },
): Promise<string> {
  const { code, stdout, stderr } = await run(command, stdin === undefined ? {} : { stdin });
  if (code === 0) return stdout;
  if (optional.has(reading)) {
    absent?.add(reading);
    return '';
  }
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
