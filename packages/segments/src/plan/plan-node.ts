import type { NodeState } from '../state/node-state.ts';
import type { Operation } from './operation.ts';
import { planIpsec } from '../encryption/plan-ipsec.ts';
import { planMacsec } from '../encryption/plan-macsec.ts';
import { macsecName } from '../names/interface-names.ts';
import { planEgress } from './plan-egress.ts';
import { planAddresses, planFdb, planNeighbours, planVnis } from './plan-entries.ts';
import { planGuards } from './plan-guards.ts';
import { planLinks } from './plan-links.ts';
import { listDifference } from './list-difference.ts';
import { planTables } from './plan-tables.ts';
import { planVlans } from './plan-vlans.ts';
import { planWireguard } from './plan-wireguard.ts';

/**
 * What makes of one state the other, nothing beside it, in an order in which no frame can pass in
 * between that neither state lets pass: ports go before their rules, rules and filters come before
 * ports, and a port is up last of all. Takes whole states or the same part of both.
 */
export function planNode(desired: NodeState, observed: NodeState): readonly Operation[] {
  const links = planLinks(desired, observed);
  const egress = planEgress(desired, observed, links);
  const guards = planGuards(desired, observed);
  const vnis = planVnis(desired, observed, links);
  const vlans = planVlans(desired, observed, links);
  const fdb = planFdb(desired, observed, links);
  const { addresses, routes } = planAddresses(desired, observed, links);
  const macsec = planMacsec(desired, observed);
  const ipsec = planIpsec(desired, observed);
  return [
    // What drops plaintext, and keys: before anything could be sent.
    ...ipsec.before,
    ...macsec.before,
    ...linkUps(desired, observed, macsec.before),
    ...links.removals,
    ...vlans.arrivals.removals,
    ...vnis.removals,
    ...egress.removals,
    ...planTables(desired, observed),
    ...guards.additions,
    ...links.additions.filter(isWireguard),
    ...planWireguard(desired, observed, links),
    ...addresses,
    ...links.ups.filter(isWireguard),
    ...routes,
    // An entry goes before the VLAN that it is in, which the kernel asks for.
    ...fdb.removals,
    ...vlans.members.removals,
    ...links.additions.filter((operation) => !isWireguard(operation)),
    ...vnis.additions,
    ...vlans.members.additions,
    ...fdb.additions,
    ...egress.additions,
    ...vlans.arrivals.additions,
    ...links.places,
    ...links.ups.filter((operation) => !isWireguard(operation)),
    ...planNeighbours(desired, observed, links),
    ...ipsec.after,
    ...macsec.after,
    ...guards.removals,
  ];
}

/** The encrypted link is up with its address before a VXLAN device is bound to it. */
function linkUps(
  desired: NodeState,
  observed: NodeState,
  before: readonly Operation[],
): readonly Operation[] {
  if (!desired.macsec.some(({ dev }) => dev === macsecName)) return [];
  const isNew = before.some(({ kind }) => kind === 'macsec-add');
  const up = !isNew && observed.links.some((link) => link.name === macsecName && link.up);
  const found = isNew ? [] : observed.addresses;
  const { removed, added } = listDifference(
    desired.addresses.filter(({ dev }) => dev === macsecName),
    found.filter(({ dev, address }) => dev === macsecName && !address.startsWith('fe80:')),
    ({ address, prefixLength }) => `${address}/${prefixLength}`,
  );
  return [
    ...added.map((address): Operation => ({ kind: 'address-add', address })),
    ...removed.map((address): Operation => ({ kind: 'address-delete', address })),
    ...(up ? [] : [{ kind: 'link-up', name: macsecName } as const]),
  ];
}

/** A VXLAN device inside WireGuard needs the other device first. */
function isWireguard(operation: Operation): boolean {
  switch (operation.kind) {
    case 'link-add':
      return operation.link.name === 'tw0';
    case 'link-set':
    case 'link-up':
      return operation.name === 'tw0';
    default:
      return false;
  }
}
