import { TaplineError } from '@tapline/base';
import type { FabricIntent, NodeIntent } from '../intent/segment-intent.ts';
import { groupId } from '../names/group-id.ts';
import { portName } from '../names/interface-names.ts';
import { type FlatLink, layVlansFlat } from '../state/lay-vlans-flat.ts';
import type { BpfInstruction, NodeState } from '../state/node-state.ts';
import type { Certificate } from './certificate.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- what nft prints; only known forms pass
type Json = Readonly<Record<string, any>>;
type At = { readonly vni: number; readonly group: number; readonly node: string };
/** Undefined is what can be any. */
type Mark = number | undefined;
type Seen = ReadonlyMap<string, NodeState>;

function refuse(why: string): never {
  throw new TaplineError('certificate_refused', why);
}

const owned = (n: NodeIntent) => [n.vtep, n.underlay, n.link?.address];

/** Throws `certificate_refused` where it does not hold. Shares no code with the verifier. */
export function checkCertificate({ places }: Certificate, claim: FabricIntent, seen: Seen): void {
  const ports = claim.segments.flatMap(({ vni, communities, ports: list }) =>
    list.map((port) => ({ ...port, vni, group: groupId(port.role, communities) })),
  );
  const claimed = new Map(ports.map((port) => [`${port.node} ${portName(port.vni, port)}`, port]));
  const groups = Map.groupBy(ports, ({ vni, group }) => `${vni} ${group}`);
  const owners = new Map(claim.nodes.flatMap((n) => owned(n).map((a) => [a, n.name])));
  const listed = new Set(places);
  const nodes = new Map([...seen].map(([name, state]) => [name, readNode(state)]));
  const nodeOf = (name: string) => nodes.get(name) ?? refuse(`${name} was not observed`);

  function enter({ vni, group, node }: At, link: FlatLink, via: string, mark: Mark): void {
    for (const m of nodeOf(node).hook('prerouting', { iifname: link.name, mark })) {
      const place = `${vni} ${group} ${node} ${via}${link.at} ${m}`;
      if (m === undefined || !listed.has(place)) refuse(`${place} is not listed`);
    }
  }
  function leave(at: At, { name: iifname, master, bridgePort: own }: FlatLink, mark: Mark): void {
    const node = nodeOf(at.node);
    if (node.hook('input', { iifname, mark }).size > 0) refuse(`${at.node} itself is reached`);
    for (const link of node.members.get(master) ?? []) {
      const { hairpin, isolated } = link.bridgePort ?? {};
      if (!link.up || (link.name === iifname ? !hairpin : isolated && own?.isolated)) continue;
      const port = claimed.get(`${at.node} ${link.name}`);
      // Frames of the only one of a group are its own: they may come back to it.
      const peers = at.group !== 2 || groups.get(`${at.vni} 2`)?.length === 1 ? at.group : 1;
      const allowed = port?.vni === at.vni && (at.group === 1 || [1, peers].includes(port.group));
      for (const m of node.hook('forward', { iifname, oifname: link.name, mark })) {
        if (port === undefined && link.vxlan !== undefined) send(at, link, m);
        else if (port === undefined || (!allowed && leaves(node.filters.get(link.name), m)))
          refuse(`group ${at.group} of ${at.vni} reaches ${link.name} of ${at.node}`);
      }
    }
  }
  function send(at: At, { name, vxlan, sends }: FlatLink, mark: Mark): void {
    const group = vxlan?.gbp ? (mark ?? refuse('any group is sent')) & 0xffff : 0;
    for (const { dst = '', vni = vxlan?.vni } of sends) {
      const node = owners.get(dst) ?? refuse(`${name} of ${at.node} sends to a stranger`);
      for (const link of nodeOf(node).tunnels.get(vni) ?? []) {
        if (group !== 0 && link.vxlan?.gbp !== true) continue;
        if (link.master === undefined) refuse(`${link.name} of ${node} is in no bridge`);
        enter({ ...at, node }, link, link.name, link.bears(group));
      }
    }
  }
  for (const port of ports) {
    for (const link of nodeOf(port.node).named.get(portName(port.vni, port)) ?? []) {
      // What is in another namespace loses its mark on the way; what is not may have any.
      const mark = link.kind === 'veth' && !link.lower ? 0 : undefined;
      if (link.master !== undefined && link.up) enter(port, link, '*', mark);
    }
  }
  for (const place of places) {
    const [vni = '', group = '', node = '', device = '', mark] = place.split(' ');
    const own = groups.get(`${vni} ${group}`)?.filter((port) => port.node === node) ?? [];
    const names = own.map((port) => portName(+vni, port) + device.slice(1));
    for (const name of device.startsWith('*') ? names : [device]) {
      const link = nodeOf(node).links.get(name);
      if (link?.master !== undefined) leave({ vni: +vni, group: +group, node }, link, Number(mark));
    }
  }
}

/** Whether a port's filter, which may be absent, lets frames with a mark leave. */
function leaves(program: readonly BpfInstruction[] | undefined, mark: Mark, at = 0): boolean {
  if (program === undefined || mark === undefined) return true;
  const { code, jt, jf, k } = program[at] ?? refuse('a filter has no end');
  if (code === 0x06) return k !== 2;
  if (code === 0x20 && k === 0xfffff014) return leaves(program, mark, at + 1);
  if (code !== 0x15) refuse(`instruction ${code} is not known`);
  return leaves(program, mark, at + 1 + (mark === k ? jt : jf));
}

const parts = (key: Json): Json[] => (Array.isArray(key['concat']) ? key['concat'] : [key]);
/** Undefined where it may match and may not. */
function fit(part: unknown, known: unknown): boolean | undefined {
  if (known === undefined || typeof part === 'object') return undefined;
  if (typeof part !== 'string' || !part.endsWith('*')) return part === known;
  return typeof known === 'string' && known.startsWith(part.slice(0, -1));
}

/** Such as what guards MACsec's link: after it there are fewer frames, no others. */
const narrows = (one: Json) => /^(match|accept|drop|counter)$/.test(Object.keys(one).join());
const isGuard = (chain: Json) => chain['rules'].every((r: Json) => r['statements'].every(narrows));
const isSeen = ({ family: f, chains }: Json) => /bridge|netdev/.test(f) && !chains.every(isGuard);

/** What one node does. What is not known of a frame can be anything; of a rule, it is refused. */
function readNode(state: NodeState) {
  const tables = state.nft.tables.filter(isSeen);
  const chains = tables.flatMap((table) => table.chains);
  const hooks = new Map(chains.map((chain) => [chain.base?.hook, chain]));
  const usual = ['prerouting', 'forward', 'input', 'output'].filter((name) => hooks.has(name));
  if (usual.length < chains.length || tables.length > 1) refuse('there are chains of others');
  if (Number(hooks.get('forward')?.base?.priority) >= -1) refuse('its rules may be gone past');
  const indexes = new Map<string, Map<unknown, readonly Json[][]>>();

  /** The elements that can match, as pairs of key and value, and whether one surely does. */
  function find(left: Json, right: Json, frame: Json) {
    const known = parts(left).map((part) => frame[part['meta']?.key]);
    const at = known.findIndex((value) => typeof value === 'string');
    const set = tables[0]?.sets.find(({ name }) => `@${name}` === (right as unknown));
    const keys = (set?.elements ?? right['set'] ?? [right]) as readonly Json[];
    const toPairs = () => (set?.kind === 'map' ? keys : keys.map((key) => [key])) as Json[][];
    const id = `${set?.name} ${at}`;
    const sorted = indexes.get(id) ?? Map.groupBy(toPairs(), ([key]) => parts(key as Json)[at]);
    if (set !== undefined) indexes.set(id, sorted);
    if (set?.flags.includes('interval') === true) refuse(`${set.name} is not known`);
    const pairs: readonly Json[][] = set === undefined ? toPairs() : (sorted.get(known[at]) ?? []);
    const fits = pairs.map(([key]) => parts(key as Json).map((part, n) => fit(part, known[n])));
    const found = pairs.filter((_, index) => fits[index]?.includes(false) === false);
    return { found, sure: fits.some((each) => each.every((one) => one === true)) };
  }
  /** The marks that a frame can have after the chain of a hook. */
  function hook(name: string, frame: Json): ReadonlySet<Mark> {
    const accepted = new Set<Mark>();
    let marks = new Set<Mark>([frame['mark']]);
    for (const { statements } of hooks.get(name)?.rules ?? []) {
      let now = marks;
      const rest = new Set<Mark>();
      for (const { match, mangle, ...other } of statements as readonly Json[]) {
        // A set may be full: then the rule ends there.
        const next = new Set<Mark>('set' in other ? now : []);
        const { key, data } = mangle?.value.map ?? { key: match?.left, data: match?.right };
        const known = /^([=!]=|<)$/.test(match?.op) || mangle?.key.meta?.key === 'mark';
        for (const mark of now) {
          if ('accept' in other || 'set' in other) ('set' in other ? rest : accepted).add(mark);
          else if ('counter' in other || (known && !key)) next.add(mangle?.value ?? mark);
          else if (known) {
            const { found, sure } = find(key, match?.op === '<' ? {} : data, { ...frame, mark });
            const [inside, outside] = match?.op === '!=' ? [rest, next] : [next, rest];
            for (const [, value] of found) inside.add(match ? mark : Number(value));
            // To both: a frame that lacks a field matches neither `==` nor `!=`.
            if (!sure) [rest, outside].forEach((to) => to.add(mark));
          } else if (!('drop' in other)) refuse('there are statements that are not known');
        }
        now = next;
      }
      marks = new Set([...rest, ...now]);
    }
    return new Set([...accepted, ...(hooks.get(name)?.base?.policy === 'drop' ? [] : marks)]);
  }
  const all = layVlansFlat(state, hook) ?? refuse('more may come in than what VLANs have');
  return {
    hook,
    links: new Map(all.map((link) => [link.name + link.at, link])),
    named: Map.groupBy(all, ({ name }) => name),
    members: Map.groupBy(all, ({ master }) => master),
    tunnels: Map.groupBy(all, ({ vxlan, up }) => (up ? vxlan?.vni : undefined)),
    filters: new Map(state.foreignFilters[0] ? [] : state.egress.map((e) => [e.dev, e.program])),
  };
}
