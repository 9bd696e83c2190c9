import { isSegmentInterface, wireguardName } from '../names/interface-names.ts';
import type { FdbEntry, NodeState, VniRange } from '../state/node-state.ts';
import { listDifference } from './list-difference.ts';
import type { Operation } from './operation.ts';
import type { LinkPlan } from './plan-links.ts';

/** FDB entries and VNIs: of devices that stay, or come. */
export function planFdb(
  desired: NodeState,
  observed: NodeState,
  { gone, joined }: Pick<LinkPlan, 'gone' | 'joined'>,
): { readonly removals: readonly Operation[]; readonly additions: readonly Operation[] } {
  const there = observed.fdb.filter(
    ({ dev, self }) => isSegmentInterface(dev) && !gone.has(dev) && (self || !joined.has(dev)),
  );
  const { removed, added } = listDifference(desired.fdb, there, fdbKey);
  return {
    removals: removed.map((entry): Operation => ({ kind: 'fdb-delete', entry })),
    additions: fdbAdditions(added),
  };
}

/** Where a MAC is behind the overlay, both its bridge and its VXLAN device are told at once. */
function fdbAdditions(added: readonly FdbEntry[]): readonly Operation[] {
  const bridged = new Map<string, Set<string>>();
  for (const { dev, mac, self, local, vlan } of added) {
    if (self || local === true || vlan !== undefined) continue;
    const macs = bridged.get(dev);
    if (macs === undefined) bridged.set(dev, new Set([mac]));
    else macs.add(mac);
  }
  const paired = added.filter(
    ({ dev, mac, self, dst, srcVni }) =>
      self && dst !== undefined && srcVni === undefined && bridged.get(dev)?.has(mac) === true,
  );
  const both = new Set(paired);
  for (const { dev, mac } of paired) bridged.get(dev)?.delete(mac);
  return added.flatMap((entry): readonly Operation[] => {
    if (both.has(entry)) return [{ kind: 'fdb-add', entry, bridged: true }];
    const apart = entry.self || entry.local === true || entry.vlan !== undefined;
    if (!apart && bridged.get(entry.dev)?.has(entry.mac) !== true) return [];
    return [{ kind: 'fdb-add', entry }];
  });
}

export function planVnis(
  desired: NodeState,
  observed: NodeState,
  { gone }: Pick<LinkPlan, 'gone'>,
): { readonly removals: readonly Operation[]; readonly additions: readonly Operation[] } {
  const there = observed.vnis.filter(({ dev }) => isSegmentInterface(dev) && !gone.has(dev));
  const { removed, added } = listDifference(single(desired.vnis), single(there), vniKey);
  return {
    removals: ranges(removed).map((range): Operation => ({ kind: 'vni-delete', range })),
    additions: ranges(added).map((range): Operation => ({ kind: 'vni-add', range })),
  };
}

export function planNeighbours(
  desired: NodeState,
  observed: NodeState,
  { gone }: Pick<LinkPlan, 'gone'>,
): readonly Operation[] {
  // A device that is down has lost them.
  const down = new Set(observed.links.filter(({ up }) => !up).map(({ name }) => name));
  const there = observed.neighbours.filter(
    ({ dev }) => isSegmentInterface(dev) && !gone.has(dev) && !down.has(dev),
  );
  const { removed, added } = listDifference(
    desired.neighbours,
    there,
    ({ dev, address, mac }) => `${dev} ${address} ${mac}`,
  );
  return [
    ...removed.map((neighbour): Operation => ({ kind: 'neighbour-delete', neighbour })),
    ...added.map((neighbour): Operation => ({ kind: 'neighbour-add', neighbour })),
  ];
}

/** Addresses and routes of WireGuard's device. */
export function planAddresses(
  desired: NodeState,
  observed: NodeState,
  { gone }: Pick<LinkPlan, 'gone'>,
): { readonly addresses: readonly Operation[]; readonly routes: readonly Operation[] } {
  const here = gone.has(wireguardName) ? [] : observed.addresses;
  const addresses = listDifference(
    desired.addresses.filter(({ dev }) => dev === wireguardName),
    here.filter(({ dev, address }) => dev === wireguardName && !address.startsWith('fe80:')),
    ({ address, prefixLength }) => `${address}/${prefixLength}`,
  );
  const up = observed.links.some((link) => link.name === wireguardName && link.up);
  const routes = listDifference(
    desired.routes ?? [],
    up && !gone.has(wireguardName) ? (observed.routes ?? []) : [],
    ({ destination }) => destination,
  );
  return {
    addresses: [
      ...addresses.removed.map((address): Operation => ({ kind: 'address-delete', address })),
      ...addresses.added.map((address): Operation => ({ kind: 'address-add', address })),
    ],
    routes: [
      ...routes.removed.map((route): Operation => ({ kind: 'route-delete', route })),
      ...routes.added.map((route): Operation => ({ kind: 'route-add', route })),
    ],
  };
}

function fdbKey(entry: FdbEntry): string {
  const { dev, mac, dst = '', srcVni = '', vlan = '', self, local, learned, vni = '' } = entry;
  const odd = [local, learned, vni, entry.port, entry.via, entry.nexthopGroup];
  return `${dev} ${mac} ${dst} ${srcVni} ${vlan} ${self} ${odd.join()}`;
}

function vniKey({ dev, first }: VniRange): string {
  return `${dev} ${first}`;
}

function single(given: readonly VniRange[]): readonly VniRange[] {
  return given.flatMap(({ dev, first, last }) =>
    Array.from({ length: last - first + 1 }, (_, index) => ({
      dev,
      first: first + index,
      last: first + index,
    })),
  );
}

/** Neighbouring VNIs in one: the kernel takes thousands in the time of one. */
function ranges(singles: readonly VniRange[]): readonly VniRange[] {
  const result: { dev: string; first: number; last: number }[] = [];
  for (const { dev, first, last } of singles.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before?.dev === dev && before.last + 1 === first) before.last = last;
    else result.push({ dev, first, last });
  }
  return result;
}
