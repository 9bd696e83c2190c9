import { isRecord } from '@tapline/base';
import { promiscuousGroup } from '../names/group-id.ts';
import { vlanTunnelPattern, wireguardName } from '../names/interface-names.ts';
import type { NftChain, NftRule, NftSet, NftTable } from '../state/nft-ruleset.ts';
import {
  and,
  baseChain as chain,
  below,
  concat,
  deny,
  field,
  is,
  mark,
  meta,
  not,
  rule,
  update,
} from './nft-statement.ts';

const iifname = meta('iifname');
const oifname = meta('oifname');
const accept = { accept: null };
const byArrival = concat(iifname, meta('mark'));
/** RFC 1191 §4 and RFC 4443 §3.2. */
const tooBig = [
  [is(field('icmp', 'type'), 'destination-unreachable'), is(field('icmp', 'code'), 'frag-needed')],
  [is(field('icmpv6', 'type'), 'packet-too-big')],
] as const;
/** RFC 4861 §4.3, §4.4: 8 bytes after the start of ICMPv6; nft 1.0.6 has no name for it. */
const ndTarget = { payload: { base: 'th', offset: 64, len: 128 } };
/** RFC 7348 §5: 12 bytes after the start of UDP. */
const vni = { payload: { base: 'th', offset: 96, len: 24 } };

/**
 * br_netfilter, which Docker and Kubernetes turn on, takes IP and ARP out of the bridge's forwarding
 * at -1 and puts them back behind everything up to 0 (br_nf_hook_thresh): a chain there sees none.
 */
const beforeNetfilter = -200;

/** How nft lists the types of `typeof` expressions. */
const listed: Readonly<Record<string, string>> = {
  iifname: 'ifname',
  'ip saddr': 'ipv4_addr',
  'ip6 saddr': 'ipv6_addr',
  '@th,64,128': 'integer',
  '@th,96,24': 'integer',
};

/** A set or map of the tables: its type as nft takes it, since raw payload needs `typeof`. */
export interface NftSetDeclaration {
  readonly table: 'bridge' | 'inet' | 'arp';
  readonly name: NftSetName;
  readonly kind: 'set' | 'map';
  /** As nft reads it. */
  readonly declaration: string;
  /** As nft lists it. */
  readonly type: readonly string[];
  readonly valueType?: string;
  /** Rules write into it how often they met what; nobody is let through or kept out by it. */
  readonly counts?: true;
}

export const nftTableName = 'tapline';

export type NftSetName =
  | 'groups'
  | 'remote'
  | 'allow'
  | 'arp_sources'
  | 'arp_targets'
  | 'sources4'
  | 'sources6'
  | 'nd_sources'
  | 'nd_targets'
  | 'answers'
  | 'vnis'
  | 'outside4'
  | 'outside6'
  | 'inside4'
  | 'inside6'
  | CountingSetName;

/** Keys are an interface of arrival and a mark, whose upper half is the VLAN where segments are VLANs. */
export type CountingSetName = 'policy_drops' | 'too_big';

/** Everything that differs from node to node is an element of one of these; rules never change. */
export const nftSets: readonly NftSetDeclaration[] = [
  set('bridge', 'groups', 'type ifname . ether_addr : mark'),
  set('bridge', 'remote', 'type ifname . ether_addr . mark'),
  set('bridge', 'allow', 'type mark . ifname'),
  set('bridge', 'arp_sources', 'type ifname . ether_addr . ipv4_addr'),
  set('bridge', 'arp_targets', 'type ifname . ipv4_addr'),
  set('bridge', 'sources4', 'type ifname . ipv4_addr'),
  set('bridge', 'sources6', 'type ifname . ipv6_addr'),
  set('bridge', 'nd_sources', 'typeof iifname . @th,64,128'),
  set('bridge', 'nd_targets', 'typeof iifname . @th,64,128'),
  countingSet('policy_drops'),
  countingSet('too_big'),
  set('arp', 'answers', 'type ifname . ipv4_addr : mark'),
  set('inet', 'vnis', 'typeof @th,96,24'),
  set('inet', 'outside4', 'typeof ip saddr . @th,96,24'),
  set('inet', 'outside6', 'typeof ip6 saddr . @th,96,24'),
  set('inet', 'inside4', 'typeof ip saddr . @th,96,24'),
  set('inet', 'inside6', 'typeof ip6 saddr . @th,96,24'),
];

/** Why a frame was dropped; each is a counter of nftables. */
export const dropCounters = [
  'drop_overlay',
  'drop_stranger',
  'drop_tag',
  'drop_mac',
  'drop_arp',
  'drop_address',
  'drop_nd',
  'drop_server',
  'drop_policy',
  'drop_host',
  'drop_forged',
] as const;

export function nftSet(declaration: NftSetDeclaration, elements: readonly unknown[]): NftSet {
  const { name, kind, type, valueType } = declaration;
  return { name, kind, type, ...(valueType !== undefined && { valueType }), flags: [], elements };
}

/** The three tables, without elements. */
export function nftTables(vxlanPort: number): readonly NftTable[] {
  return [
    table('bridge', [
      chain('ingress', ['prerouting', -300], ingressRules()),
      chain('forward', ['forward', beforeNetfilter], forwardRules()),
      // Nobody talks to the bridge device itself, and it talks to nobody.
      chain(
        'input',
        ['input', 0],
        ['tp*', 'tv*'].map((name) => rule(is(iifname, name), ...deny('drop_host'))),
      ),
      chain(
        'output',
        ['output', 0],
        ['tp*', 'tv*'].map((name) => rule(is(oifname, name), ...deny('drop_host'))),
      ),
    ]),
    // What a bridge answers for others (neighbour suppression) passes no chain of the family bridge
    // and bears no mark; here it gets that of the port it speaks for, where policy lets it.
    table('arp', [
      chain(
        'output',
        ['output', 0],
        [
          rule(
            is(oifname, 'tp*'),
            mark({ map: { key: concat(oifname, field('arp', 'saddr ip')), data: '@answers' } }),
          ),
        ],
      ),
    ]),
    table('inet', [
      chain('underlay', ['input', -200], underlayRules(vxlanPort)),
      // The kernel's own packets have no process; one that makes them itself would forge a group.
      chain(
        'local',
        ['output', -200],
        [
          rule(
            is(field('udp', 'dport'), vxlanPort),
            is(vni, '@vnis'),
            not(meta('skuid'), 0xffffffff),
            ...deny('drop_forged'),
          ),
        ],
      ),
    ]),
  ];
}

/** Whether somebody is who it says it is, then the mark of its group. */
function ingressRules(): readonly NftRule[] {
  const dhcpRequest = [is(field('udp', 'sport'), 68), is(field('udp', 'dport'), 67)];
  // Above the group may be the segment's VLAN.
  const server = not(and(meta('mark'), 0xffff), promiscuousGroup);
  const fromRemote = is(concat(iifname, field('ether', 'saddr'), meta('mark')), '@remote');
  return [
    rule(not(iifname, 'tp*'), not(iifname, 'tv*'), accept),
    // Where segments are VLANs, what comes from other nodes has the tag of its own by then, and only
    // what had none before has a mark.
    rule(is(iifname, vlanTunnelPattern), fromRemote, accept),
    ...hidingRules(),
    // The other node's word for the group is taken only together with the port it is true of.
    rule(is(iifname, 'tv*'), fromRemote, accept),
    // A VXLAN device answers for its way what is too large for it, in the name of who was asked; with
    // the asker's mark that is seldom somebody's, so the asker is not told, and it is counted.
    ...tooBig.map((type) => rule(is(iifname, 'tv*'), ...type, update('too_big', byArrival))),
    rule(is(iifname, 'tv*'), ...deny('drop_overlay')),
    // A process of the host may have set one.
    rule(mark(0)),
    rule(mark({ map: { key: concat(iifname, field('ether', 'saddr')), data: '@groups' } })),
    rule(is(meta('mark'), 0), ...deny('drop_mac')),
    rule(
      not(concat(iifname, field('arp', 'saddr ether'), field('arp', 'saddr ip')), '@arp_sources'),
      ...deny('drop_arp'),
    ),
    rule(
      is(field('arp', 'operation'), 'request'),
      not(concat(iifname, field('arp', 'daddr ip')), '@arp_targets'),
      ...deny('drop_arp'),
    ),
    rule(is(field('ip', 'saddr'), '0.0.0.0'), ...dhcpRequest, accept),
    rule(not(concat(iifname, field('ip', 'saddr')), '@sources4'), ...deny('drop_address')),
    rule(not(concat(iifname, field('ip6', 'saddr')), '@sources6'), ...deny('drop_address')),
    rule(
      is(field('icmpv6', 'type'), 'nd-neighbor-advert'),
      not(concat(iifname, ndTarget), '@nd_sources'),
      ...deny('drop_nd'),
    ),
    rule(
      is(field('icmpv6', 'type'), 'nd-neighbor-solicit'),
      not(concat(iifname, ndTarget), '@nd_targets'),
      ...deny('drop_nd'),
    ),
    // Routers and DHCP servers are promiscuous ports only.
    rule(is(field('icmpv6', 'type'), 'nd-router-advert'), server, ...deny('drop_server')),
    rule(
      is(field('udp', 'sport'), 67),
      is(field('udp', 'dport'), 68),
      server,
      ...deny('drop_server'),
    ),
    rule(
      is(field('udp', 'sport'), 547),
      is(field('udp', 'dport'), 546),
      server,
      ...deny('drop_server'),
    ),
  ];
}

/**
 * What could hide IP or ARP from the rules behind, as hosts take the frame for one without a tag.
 * `ether type` is the tag's also where the kernel moved it out of the frame. Below 0x600 it is a
 * length (IEEE Std 802.3 §3.2.6), and LLC or SNAP is behind it.
 */
function hidingRules(): readonly NftRule[] {
  const type = field('ether', 'type');
  return [
    ...['8021q', '8021ad', 0x9100, 0x9200].map((tag) => rule(is(type, tag), ...deny('drop_tag'))),
    rule(below(type, 0x600), ...deny('drop_tag')),
  ];
}

function forwardRules(): readonly NftRule[] {
  const allowed = is(concat(meta('mark'), oifname), '@allow');
  return [
    rule(is(iifname, 'tp*'), allowed, accept),
    rule(is(iifname, 'tv*'), allowed, accept),
    // In rules of their own: where a set is full, they end, and what they would drop is dropped still.
    rule(is(iifname, 'tp*'), update('policy_drops', byArrival)),
    rule(is(iifname, 'tv*'), update('policy_drops', byArrival)),
    rule(is(iifname, 'tp*'), ...deny('drop_policy')),
    rule(is(iifname, 'tv*'), ...deny('drop_policy')),
    // Somebody put an interface that is not ours into a segment's bridge.
    rule(is(oifname, 'tp*'), ...deny('drop_stranger')),
    rule(is(oifname, 'tv*'), ...deny('drop_stranger')),
  ];
}

/** VXLAN packets of our VNIs only from nodes that have ports there, and encrypted where asked. */
function underlayRules(vxlanPort: number): readonly NftRule[] {
  const vxlan = is(field('udp', 'dport'), vxlanPort);
  const inside = is(iifname, wireguardName);
  const outside = not(iifname, wireguardName);
  const from = (protocol: string, name: string): unknown =>
    is(concat(field(protocol, 'saddr'), vni), `@${name}`);
  return [
    rule(vxlan, inside, from('ip', 'inside4'), accept),
    rule(vxlan, inside, from('ip6', 'inside6'), accept),
    rule(vxlan, outside, from('ip', 'outside4'), accept),
    rule(vxlan, outside, from('ip6', 'outside6'), accept),
    rule(vxlan, is(vni, '@vnis'), ...deny('drop_stranger')),
  ];
}

function set(
  family: NftSetDeclaration['table'],
  name: NftSetName,
  declaration: string,
): NftSetDeclaration {
  const [keys = '', value] = declaration.replace(/^type(of)? /, '').split(' : ');
  const type = keys.split(' . ').map((part) => listed[part] ?? part);
  const kind = value === undefined ? 'set' : 'map';
  return {
    table: family,
    name,
    kind,
    declaration,
    type,
    ...(value !== undefined && { valueType: value }),
  };
}

function countingSet(name: CountingSetName): NftSetDeclaration {
  return { ...set('bridge', name, 'type ifname . mark'), counts: true };
}

function table(family: NftSetDeclaration['table'], chains: readonly NftChain[]): NftTable {
  const sets = nftSets.filter((entry) => entry.table === family);
  return {
    family,
    name: nftTableName,
    chains,
    sets: sets.map((entry) => nftSet(entry, [])),
  };
}

/** The VXLAN port that tables are for; undefined where they have none. */
export function vxlanPortOf(tables: readonly NftTable[]): number | undefined {
  const underlay = tables
    .find(({ family, name }) => family === 'inet' && name === nftTableName)
    ?.chains.find(({ name }) => name === 'underlay');
  const first = underlay?.rules[0]?.statements[0];
  const match = isRecord(first) ? first['match'] : undefined;
  const port = isRecord(match) ? match['right'] : undefined;
  return typeof port === 'number' ? port : undefined;
}
