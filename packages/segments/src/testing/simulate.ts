import type { FabricIntent, PortIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { portName } from '../names/interface-names.ts';
import { portMac } from '../names/port-mac.ts';
import type { LinkState, NodeState } from '../state/node-state.ts';

/**
 * A fabric as a kernel would run it, frame by frame and with every field known: pairs of interfaces
 * that something passed between. It is written apart from the verifier and shares nothing with it, so
 * that one can be held against the other.
 */
export function simulate(
  claim: FabricIntent,
  states: ReadonlyMap<string, NodeState>,
): ReadonlySet<string> {
  return new Set(simulateKinds(claim, states).keys());
}

/** The kinds of frames that passed between two interfaces, of those that a port sends. */
export function simulateKinds(
  claim: FabricIntent,
  states: ReadonlyMap<string, NodeState>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const arrived = new Map<string, Set<string>>();
  const all = claim.segments.flatMap((segment) =>
    segment.ports.map((port) => ({ segment, port, device: portName(segment.vni, port) })),
  );
  const places = new Map(all.map((end) => [`${end.port.node} ${end.device}`, end]));
  for (const from of all) {
    for (const to of all) {
      if (from === to) continue;
      for (const [kind, frame] of Object.entries(framesOf(from, to))) {
        for (const place of deliver(states, claim, {
          node: from.port.node,
          device: from.device,
          frame,
        })) {
          const other = places.get(place);
          if (other === undefined || other === from) continue;
          if (kind === 'request' && other === to && isKept(states, from, to)) continue;
          const pair = `${from.device} ${other.device}`;
          // What asks for one is of use to that one only, though others may get it.
          const own = other === to || kind === 'broadcast' ? kind : `${kind} for another`;
          const known = arrived.get(pair);
          if (known === undefined) arrived.set(pair, new Set([own]));
          else known.add(own);
        }
      }
    }
  }
  for (const from of all) {
    for (const to of all) {
      if (from === to || !isAnswered(states, from, to)) continue;
      // Where nothing else passes, no frame does.
      arrived.get(`${from.device} ${to.device}`)?.add('request');
    }
  }
  return arrived;
}

/** Whether the bridge of a port knows who is asked for, so that the question goes to no other node. */
function isKept(states: ReadonlyMap<string, NodeState>, from: End, to: End): boolean {
  return from.port.node !== to.port.node && neighbourOf(states, from, to) !== undefined;
}

/** What the bridge says in place of another: the MAC, and whether frames for it would get there. */
function neighbourOf(
  states: ReadonlyMap<string, NodeState>,
  from: End,
  to: End,
): { readonly mac: string; readonly isRemote: boolean } | undefined {
  const state = states.get(from.port.node);
  const master = state?.links.find(
    ({ name }) => name === portName(from.segment.vni, from.port),
  )?.master;
  if (state === undefined || master === undefined || hasVlans(state, master)) return undefined;
  const members = state.links.filter((link) => link.master === master);
  if (!members.some(({ bridgePort }) => bridgePort?.neighSuppress === true)) return undefined;
  const address = to.port.addresses.find((text) => !text.includes(':'));
  const known = state.neighbours.find((one) => one.dev === master && one.address === address);
  const entry = state.fdb.find(
    ({ self, mac, dev }) => !self && mac === known?.mac && members.some(({ name }) => name === dev),
  );
  if (known === undefined || entry === undefined) return undefined;
  const behind = members.find(({ name }) => name === entry.dev);
  return { mac: known.mac, isRemote: behind?.bridgePort?.neighSuppress === true };
}

/** Whether the bridge says where somebody on another node is, and it is right. */
function isAnswered(states: ReadonlyMap<string, NodeState>, from: End, to: End): boolean {
  const state = states.get(from.port.node);
  const told = neighbourOf(states, from, to);
  if (state === undefined || told?.isRemote !== true || !isKept(states, from, to)) return false;
  if (told.mac !== portMac(to.segment.vni, to.port.index)) return false;
  const device = portName(from.segment.vni, from.port);
  const link = state.links.find(({ name }) => name === device);
  const question = { ...framesOf(from, to)['request'], iifname: device, mark: 0 };
  if (link?.up !== true || filter(state, 'bridge', 'prerouting', question) === undefined)
    return false;
  const address = to.port.addresses.find((text) => !text.includes(':')) ?? '';
  const answer = { protocol: 'arp', 'arp saddr ip': address, oifname: device, mark: 0 };
  const mark = filter(state, 'arp', 'output', answer);
  return mark !== undefined && leaves(state, device, mark);
}

/** What has to arrive for two ports to find each other and to talk, with the addresses of each. */
export const necessaryKinds = [
  'one by one',
  'broadcast',
  'request',
  'one by one 6',
  'solicitation',
] as const;

// oxlint-disable-next-line typescript/no-explicit-any -- what nft prints
type Json = any;
type Fields = Readonly<Record<string, string | number>>;
interface End {
  readonly segment: SegmentIntent;
  readonly port: PortIntent;
}

/** What a port truthfully sends to another: one by one, to everybody, and what is no IP. */
function framesOf(from: End, to: End): Readonly<Record<string, Fields>> {
  const saddr = portMac(from.segment.vni, from.port.index);
  const daddr = portMac(to.segment.vni, to.port.index);
  const of = (end: End, family: 4 | 6): string =>
    end.port.addresses.find((address) => address.includes(':') === (family === 6)) ?? '::';
  const everybody = 'ff:ff:ff:ff:ff:ff';
  const ip = { protocol: 'ip', 'ip saddr': of(from, 4) };
  const ip6 = { protocol: 'ip6', 'ip6 saddr': of(from, 6) };
  return {
    'one by one': { 'ether saddr': saddr, 'ether daddr': daddr, ...ip },
    'to all': { 'ether saddr': saddr, 'ether daddr': everybody, ...ip },
    request: {
      'ether saddr': saddr,
      'ether daddr': everybody,
      protocol: 'arp',
      'arp saddr ether': saddr,
      'arp saddr ip': of(from, 4),
      'arp operation': 'request',
      'arp daddr ip': of(to, 4),
    },
    broadcast: { 'ether saddr': saddr, 'ether daddr': everybody, protocol: 'other' },
    'one by one 6': { 'ether saddr': saddr, 'ether daddr': daddr, ...ip6 },
    solicitation: {
      'ether saddr': saddr,
      'ether daddr': everybody,
      ...ip6,
      'icmpv6 type': 'nd-neighbor-solicit',
      '@th,64,128': bits(of(to, 6)),
    },
  };
}

/** The 128 bits of an address, as nft prints them. */
function bits(address: string): string {
  const [head = '', tail = ''] = address.split('::').map((half) =>
    half
      .split(':')
      .filter((group) => group !== '')
      .map((group) => group.padStart(4, '0'))
      .join(''),
  );
  const digits = `${head}${'0'.repeat(32 - head.length - tail.length)}${tail}`;
  return `0x${digits.replace(/^0+/, '')}`;
}

interface Arrival {
  readonly node: string;
  readonly device: string;
  readonly frame: Fields;
  readonly mark?: number;
  /** Where it is a VXLAN device of many. */
  readonly vni?: number;
  readonly hops?: number;
}

/** Nodes and interfaces at which a frame leaves. */
function deliver(
  states: ReadonlyMap<string, NodeState>,
  claim: FabricIntent,
  { node, device, frame, mark: given = 0, vni: from, hops = 0 }: Arrival,
): readonly string[] {
  const state = states.get(node);
  const iif = state?.links.find(({ name }) => name === device);
  if (state === undefined || iif?.master === undefined || !iif.up || hops > 3) return [];
  const mark = from === undefined ? given : markGiven(state, { device, vni: from, group: given });
  const vlan = vlanOf(state, iif, from);
  const seen = { ...frame, iifname: device, mark };
  const entered = filter(state, 'bridge', 'prerouting', seen);
  if (entered === undefined || vlan === undefined) return [];
  const found: string[] = [];
  for (const link of outputs(state, iif, { vlan, daddr: String(frame['ether daddr']) })) {
    const out = filter(state, 'bridge', 'forward', { ...seen, mark: entered, oifname: link.name });
    if (out === undefined || !leaves(state, link.name, out)) continue;
    if (link.vxlan === undefined) {
      found.push(`${node} ${link.name}`);
      continue;
    }
    const { port, gbp, local, external } = link.vxlan;
    const vni = external ? vniOf(state, link, vlan) : link.vxlan.vni;
    if (vni === undefined) continue;
    const srcVni = external ? vni : undefined;
    for (const dst of remotes(state, link.name, { srcVni, daddr: String(frame['ether daddr']) })) {
      const peer =
        [...states].find(([, other]) =>
          other.addresses.some(({ address }) => address === dst),
        )?.[0] ?? claim.nodes.find(({ underlay, vtep }) => dst === underlay || dst === vtep)?.name;
      const there = peer === undefined ? undefined : states.get(peer);
      if (peer === undefined || there === undefined) continue;
      const packet = {
        iifname: 'ua',
        protocol: 'ip',
        'ip saddr': local,
        'udp dport': port,
        '@th,96,24': vni,
        mark: 0,
      };
      if (filter(there, 'inet', 'input', packet) === undefined) continue;
      for (const receiver of there.links) {
        const own = receiver.vxlan;
        if (own === undefined || !receiver.up || own.port !== port) continue;
        if (own.external ? !listens(there, receiver.name, vni) : own.vni !== vni) continue;
        const group = gbp ? out & 0xffff : 0;
        if (group !== 0 && !own.gbp) continue;
        found.push(
          ...deliver(states, claim, {
            node: peer,
            device: receiver.name,
            frame,
            mark: group,
            ...(own.external && { vni }),
            hops: hops + 1,
          }),
        );
      }
    }
  }
  return found;
}

/** What flower gives a frame of a VNI and group. */
function markGiven(
  { arrivals = [] }: NodeState,
  { device, vni, group }: { readonly device: string; readonly vni: number; readonly group: number },
): number {
  const own = arrivals.filter((one) => one.dev === device && one.vni === vni);
  return own.find((one) => one.group === group)?.mark ?? 0;
}

function hasVlans(state: NodeState, bridge: string | undefined): boolean {
  return state.links.some((link) => link.name === bridge && link.bridge?.vlanFiltering === true);
}

/** The VLAN of a frame without a tag, 0 where there are none, undefined where it is dropped. */
function vlanOf(state: NodeState, iif: LinkState, vni: number | undefined): number | undefined {
  if (!hasVlans(state, iif.master)) return 0;
  const mapped =
    vni !== undefined && iif.bridgePort?.vlanTunnel === true
      ? state.vlans.find((one) => one.dev === iif.name && one.vni === vni)
      : undefined;
  const vlan = mapped ?? (state.portVlans ?? []).find((one) => one.dev === iif.name && one.pvid);
  return vlan !== undefined && inVlan(state, iif, vlan.vlan) ? vlan.vlan : undefined;
}

function inVlan(state: NodeState, link: LinkState, vlan: number): boolean {
  if (!hasVlans(state, link.master)) return true;
  return (state.portVlans ?? []).some((one) => one.dev === link.name && one.vlan === vlan);
}

function vniOf(state: NodeState, link: LinkState, vlan: number): number | undefined {
  if (vlan === 0 || link.bridgePort?.vlanTunnel !== true) return undefined;
  return state.vlans.find((one) => one.dev === link.name && one.vlan === vlan)?.vni;
}

function listens({ vnis }: NodeState, device: string, vni: number): boolean {
  return vnis.some(({ dev, first, last }) => dev === device && first <= vni && vni <= last);
}

function outputs(
  state: NodeState,
  iif: LinkState,
  { vlan, daddr }: { readonly vlan: number; readonly daddr: string },
): readonly LinkState[] {
  const members = state.links.filter(
    (link) =>
      link.master === iif.master &&
      link.up &&
      inVlan(state, link, vlan) &&
      (link.name !== iif.name || link.bridgePort?.hairpin === true) &&
      !(link.bridgePort?.isolated === true && iif.bridgePort?.isolated === true),
  );
  if (daddr === 'ff:ff:ff:ff:ff:ff') return members;
  const own = state.fdb.filter(
    (entry) => !entry.self && entry.mac === daddr && (entry.vlan ?? 0) === vlan,
  );
  const inBridge = state.links.filter(({ master }) => master === iif.master);
  const known = own.filter(({ dev }) => inBridge.some(({ name }) => name === dev));
  // A bridge that knows where to does not flood, even where it cannot send there.
  if (known.length === 0) return members.filter(({ bridgePort }) => bridgePort?.flood === true);
  return members.filter(({ name }) => known.some(({ dev }) => dev === name));
}

function remotes(
  state: NodeState,
  dev: string,
  { srcVni, daddr }: { readonly srcVni: number | undefined; readonly daddr: string },
): readonly string[] {
  const own = state.fdb.filter(
    (entry) => entry.self && entry.dev === dev && entry.srcVni === srcVni,
  );
  const exact = own.filter(({ mac }) => mac === daddr);
  const chosen = exact.length > 0 ? exact : own.filter(({ mac }) => mac === '00:00:00:00:00:00');
  return chosen.flatMap(({ dst }) => dst ?? []);
}

/** The mark after a hook's chains, or undefined for a frame that was dropped. */
function filter(
  state: NodeState,
  family: string,
  hook: string,
  frame: Fields & { readonly mark: number },
): number | undefined {
  const fields: Record<string, string | number> = { ...frame };
  const bridged = family === 'bridge' && hook === 'forward';
  const chains = state.nft.tables
    .filter((table) => table.family === family)
    .flatMap((table) => table.chains.map((chain) => ({ table, chain })))
    .filter(({ chain }) => chain.base?.hook === hook)
    .filter(({ chain }) => !(bridged && isTaken(chain.base?.priority ?? 0, frame)))
    .toSorted((a, b) => (a.chain.base?.priority ?? 0) - (b.chain.base?.priority ?? 0));
  for (const { table, chain } of chains) {
    let verdict = chain.base?.policy ?? 'accept';
    rules: for (const { statements } of chain.rules) {
      for (const statement of statements as readonly Json[]) {
        if ('accept' in statement || 'drop' in statement) {
          verdict = 'accept' in statement ? 'accept' : 'drop';
          break rules;
        }
        const { match, mangle } = statement;
        if (match !== undefined && !matches(table.sets, match, fields)) continue rules;
        if (mangle === undefined) continue;
        const { map } = mangle.value;
        if (map === undefined) fields['mark'] = mangle.value;
        else {
          const pairs = setOf(table.sets, map.data) as readonly (readonly [unknown, number])[];
          const pair = pairs.find(([key]) => fits(key, valuesOf(map.key, fields)));
          if (pair === undefined) continue rules;
          fields['mark'] = pair[1];
        }
      }
    }
    if (verdict === 'drop') return undefined;
  }
  return Number(fields['mark']);
}

/** With br_netfilter, IP and ARP that are forwarded come back behind what has a priority of 0. */
function isTaken(priority: number, frame: Fields): boolean {
  const taken = ['ip', 'ip6', 'arp'].includes(String(frame['protocol']));
  return taken && priority >= -1 && priority <= 0;
}

function matches(
  sets: NodeState['nft']['tables'][number]['sets'],
  match: Json,
  fields: Fields,
): boolean {
  const values = valuesOf(match.left, fields);
  if (values.includes(undefined)) return false;
  if (match.op === '<') return Number(values[0]) < match.right;
  const inside = setOf(sets, match.right).some((key) => fits(key, values));
  return match.op === '!=' ? !inside : inside;
}

function setOf(sets: NodeState['nft']['tables'][number]['sets'], right: Json): readonly Json[] {
  if (typeof right === 'string' && right.startsWith('@')) {
    return sets.find(({ name }) => `@${name}` === right)?.elements ?? [];
  }
  return right?.set ?? [right];
}

function valuesOf(left: Json, fields: Fields): readonly (string | number | undefined)[] {
  return [left.concat ?? left].flat().map((part: Json) => {
    const { meta, payload, '&': masked } = part;
    if (masked !== undefined) return Number(fields[masked[0].meta.key]) & masked[1];
    if (meta !== undefined) return fields[meta.key];
    if (payload.base !== undefined)
      return fields[`@${payload.base},${payload.offset},${payload.len}`];
    return fields[`${payload.protocol} ${payload.field}`];
  });
}

function fits(key: Json, values: readonly (string | number | undefined)[]): boolean {
  const parts: readonly unknown[] = typeof key === 'object' ? (key.concat ?? [key]) : [key];
  return parts.every((part: unknown, index: number) =>
    typeof part === 'string' && part.endsWith('*')
      ? String(values[index]).startsWith(part.slice(0, -1))
      : part === values[index],
  );
}

function leaves(state: NodeState, dev: string, mark: number): boolean {
  const program = state.egress.find((entry) => entry.dev === dev)?.program;
  if (program === undefined) return true;
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const instruction = program[at];
    if (instruction === undefined) break;
    if (instruction.code === 0x20) accumulator = instruction.k === 0xfffff014 ? mark : 0;
    else if (instruction.code === 0x15) {
      at += accumulator === instruction.k ? instruction.jt : instruction.jf;
    } else return instruction.k !== 2;
  }
  return true;
}
