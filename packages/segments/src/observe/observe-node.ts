import type { LinkState, NodeState, PortVlan } from '../state/node-state.ts';
import { malformed } from './json-records.ts';
import { parseAddresses } from './parse-addresses.ts';
import { parseFdb } from './parse-fdb.ts';
import { parseFilters } from './parse-filters.ts';
import { parseLinks } from './parse-links.ts';
import { parseMacsec } from './parse-macsec.ts';
import { parseNeighbours } from './parse-neighbours.ts';
import { parseNftRuleset } from './parse-nft-ruleset.ts';
import { parsePortVlans } from './parse-port-vlans.ts';
import { parseVlanTunnels } from './parse-vlan-tunnels.ts';
import { parseVnis } from './parse-vnis.ts';
import { parseWireguard } from './parse-wireguard.ts';
import { parseXfrm } from './parse-xfrm.ts';

/**
 * The commands whose outputs make up a node's state, but the filters', whose input
 * {@link filterBatch} makes from that of `qdiscs`.
 */
export const observationCommands = {
  links: ['ip', '-j', '-d', 'link'],
  addresses: ['ip', '-j', 'address'],
  neighbours: ['ip', '-j', 'neigh'],
  fdb: ['bridge', '-j', 'fdb'],
  vnis: ['bridge', '-j', 'vni'],
  vlans: ['bridge', '-j', 'vlan', 'tunnelshow'],
  portVlans: ['bridge', '-j', 'vlan', 'show'],
  qdiscs: ['tc', '-j', 'qdisc', 'show'],
  nft: ['nft', '-j', 'list', 'ruleset'],
  xfrmStates: ['ip', 'xfrm', 'state', 'list', 'nokeys'],
  xfrmPolicies: ['ip', 'xfrm', 'policy'],
  wireguard: ['wg', 'show', 'all', 'dump'],
  macsec: ['ip', '-j', 'macsec', 'show'],
} as const;

/** Output of each; '' for what this kernel or node has not (MACsec, WireGuard's tool). */
export type NodeOutputs = Readonly<Record<keyof typeof observationCommands | 'filters', string>>;

/** What a node's kernel has, from what its programs print. Throws `observation_invalid`. */
export function observeNode(outputs: NodeOutputs): NodeState {
  const links = parseLinks(outputs.links);
  const filters = parseFilters(outputs.qdiscs, outputs.filters);
  return {
    links,
    addresses: parseAddresses(outputs.addresses),
    neighbours: parseNeighbours(outputs.neighbours),
    fdb: parseFdb(outputs.fdb, links),
    vnis: parseVnis(outputs.vnis),
    vlans: parseVlanTunnels(outputs.vlans),
    portVlans: readPortVlans(outputs.portVlans, links),
    arrivals: filters.arrivals,
    egress: filters.egress,
    foreignFilters: filters.foreign,
    guards: filters.guards,
    hooks: filters.hooks,
    nft: parseNftRuleset(outputs.nft),
    xfrm: parseXfrm(outputs.xfrmStates, outputs.xfrmPolicies),
    wireguard: parseWireguard(outputs.wireguard),
    macsec: parseMacsec(outputs.macsec, links),
  };
}

/** A bridge whose VLANs were not read would be taken for one that lets nothing through. */
function readPortVlans(output: string, links: readonly LinkState[]): readonly PortVlan[] {
  const aware = links.find(({ bridge }) => bridge?.vlanFiltering === true);
  if (aware !== undefined && output.trim() === '') {
    throw malformed('bridge -j vlan', `nothing of ${aware.name}, whose VLANs are on`);
  }
  return parsePortVlans(output);
}
