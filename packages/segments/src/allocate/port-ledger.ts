import { TaplineError } from '@tapline/base';
import { formatIpAddress } from '../address/ip-address.ts';
import { addressBits, parseSubnet, type Subnet } from '../address/subnet.ts';
import type { PortRole } from '../intent/port-role.ts';
import { firstCommunityGroup, lastCommunityGroup } from '../names/group-id.ts';

/** A port of a segment that is, or that has been. */
export interface PortRecord {
  readonly index: number;
  readonly incarnation: number;
  readonly owner: string;
  readonly node: string;
  readonly kind: PortRole['kind'];
  readonly community?: string | undefined;
  readonly address: string;
  /** Which release it was, counted in the segment; absent while it is in use. */
  readonly released?: number | undefined;
}

/** Ports and communities of a segment; what of them was used is never forgotten in its life. */
export interface PortLedger {
  /** Counts releases, after it began with the number of the segment's lease. */
  readonly serial: number;
  readonly ports: readonly PortRecord[];
  /** Group policy id of each community that ever was. */
  readonly communities: Readonly<Record<string, number>>;
}

export interface WantedPort {
  readonly owner: string;
  readonly node: string;
  readonly role: PortRole;
}

/** Most ports of a segment: its Attachments have to fit into what an API server takes. */
export const maxPorts = 4096;

/**
 * A new segment's: incarnations begin at the number of its lease, so that a segment which has the
 * VNI after another does not have its ports' names.
 */
export function newPortLedger(leaseSerial: number): PortLedger {
  return { serial: leaseSerial, ports: [], communities: {} };
}

/** The address that no port has, the first one. */
export function gatewayAddress(prefix: Subnet): string {
  return formatIpAddress({ ...prefix, value: prefix.value + 1n });
}

/** How many ports a subnet has addresses for: not the network's, the gateway's and the broadcast's. */
export function portCapacity({ family, length }: Subnet): number {
  const addresses = 2 ** Math.min(30, addressBits(family) - length);
  return Math.max(0, Math.min(maxPorts, addresses - (family === 4 ? 3 : 2)));
}

/**
 * Keeps who is there, lets go who is gone, takes in who is new. An owner keeps its index for as long as
 * it is there, and its address for as long as the segment has its prefix; the incarnation goes up with
 * any other owner, node, role, community or address of an index. A new port gets the lowest index that never was used, then the one that was given up
 * first. The same ledger comes back where nothing changes. Throws `ports_exhausted`,
 * `communities_exhausted`.
 */
export function planPorts(
  ledger: PortLedger,
  wanted: readonly WantedPort[],
  {
    segment,
    subnet,
    firstIncarnation,
  }: {
    readonly segment: string;
    readonly subnet: string;
    readonly firstIncarnation: number;
  },
): PortLedger {
  const prefix = parseSubnet(subnet);
  const capacity = portCapacity(prefix);
  if (wanted.length > capacity) {
    throw new TaplineError(
      'ports_exhausted',
      `segment ${segment} selects ${wanted.length} ports, ${subnet} has addresses for ${capacity}`,
      { hint: 'select fewer, or make a segment with a shorter prefix' },
    );
  }
  const communities = withCommunities(ledger.communities, wanted, segment);
  const byOwner = new Map(wanted.map((one) => [one.owner, one]));
  let { serial } = ledger;
  let changed = communities !== ledger.communities;
  const records = new Map<number, PortRecord>();
  const placed = new Set<string>();
  const addressOf = (index: number): string =>
    formatIpAddress({ ...prefix, value: prefix.value + 1n + BigInt(index) });
  for (const found of ledger.ports) {
    const record = moved(found, { address: addressOf(found.index), firstIncarnation });
    changed ||= record !== found;
    const next = record.released === undefined ? byOwner.get(record.owner) : undefined;
    if (next !== undefined) {
      placed.add(record.owner);
      const kept = isSame(record, next) ? record : portRecord(record, next);
      changed ||= kept !== record;
      records.set(record.index, kept);
    } else if (record.released === undefined) {
      serial += 1;
      changed = true;
      records.set(record.index, { ...record, released: serial });
    } else records.set(record.index, record);
  }
  const free = freeIndexes(records, capacity);
  for (const next of wanted) {
    if (placed.has(next.owner)) continue;
    const index = free.next().value;
    if (index === undefined) continue;
    changed = true;
    placed.add(next.owner);
    const before = records.get(index) ?? {
      index,
      incarnation: firstIncarnation - 1,
      address: addressOf(index),
    };
    records.set(index, portRecord(before, next));
  }
  if (!changed) return ledger;
  const ports = [...records.values()].toSorted((a, b) => a.index - b.index);
  return { serial, ports, communities };
}

/** The indexes for new ports, in order. */
function* freeIndexes(
  records: ReadonlyMap<number, PortRecord>,
  capacity: number,
): Generator<number, undefined> {
  const used = new Set(records.keys());
  const released = [...records.values()]
    .filter((record) => record.released !== undefined)
    .toSorted((a, b) => (a.released ?? 0) - (b.released ?? 0));
  for (let index = 1; index <= capacity; index += 1) if (!used.has(index)) yield index;
  for (const { index } of released) yield index;
  return undefined;
}

/** The record with the address that its index has now: of other numbers its port is another one. */
function moved(
  record: PortRecord,
  { address, firstIncarnation }: { readonly address: string; readonly firstIncarnation: number },
): PortRecord {
  if (record.address === address) return record;
  const incarnation = Math.max(record.incarnation + 1, firstIncarnation);
  return { ...record, address, incarnation };
}

function portRecord(
  { index, incarnation, address }: Pick<PortRecord, 'index' | 'incarnation' | 'address'>,
  { owner, node, role }: WantedPort,
): PortRecord {
  return {
    index,
    incarnation: incarnation + 1,
    owner,
    node,
    kind: role.kind,
    ...(role.kind === 'community' ? { community: role.community } : {}),
    address,
  };
}

function isSame(record: PortRecord, { owner, node, role }: WantedPort): boolean {
  return (
    record.owner === owner &&
    record.node === node &&
    record.kind === role.kind &&
    record.community === (role.kind === 'community' ? role.community : undefined)
  );
}

function withCommunities(
  known: PortLedger['communities'],
  wanted: readonly WantedPort[],
  segment: string,
): PortLedger['communities'] {
  const names = wanted.flatMap(({ role }) => (role.kind === 'community' ? [role.community] : []));
  const fresh = [...new Set(names)].filter((name) => known[name] === undefined);
  if (fresh.length === 0) return known;
  // Ids count up, so that none is ever another's.
  const first = Math.max(firstCommunityGroup - 1, ...Object.values(known)) + 1;
  if (first + fresh.length - 1 > lastCommunityGroup) {
    throw new TaplineError(
      'communities_exhausted',
      `segment ${segment} has had ${first - firstCommunityGroup} communities, the most is ${lastCommunityGroup - firstCommunityGroup + 1}`,
    );
  }
  const ids = fresh.toSorted((a, b) => (a < b ? -1 : 1)).map((name, at) => [name, first + at]);
  return { ...known, ...(Object.fromEntries(ids) as Record<string, number>) };
}
