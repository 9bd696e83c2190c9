import type { FdbEntry, LinkState, NodeState } from './node-state.ts';

/** A link as one VLAN of its bridge sees it; `at` tells which, and is empty where there are none. */
export interface FlatLink extends LinkState {
  readonly at: string;
  /** Where a VXLAN device sends, each place once. */
  readonly sends: readonly FdbEntry[];
  /** What arrives of a group is marked with. */
  bears(group: number): number;
}

/** Of a device of one VNI. */
function bears(group: number): number {
  return group;
}

/**
 * A node as if each VLAN of a bridge were a bridge of its own, and each VNI of a VXLAN device of many
 * a device in one of these. Undefined where others may mark frames, or where frames come in of a VNI
 * that no VLAN has, or with a tag of their own, by which they would choose a VLAN: these bear 0, and
 * `hook` tells what of such is let in. This is what whoever checks a certificate has to
 * believe about VLANs; the verifier does not use it.
 */
export function layVlansFlat(
  state: NodeState,
  hook: (
    name: 'prerouting',
    frame: { readonly iifname: string; readonly mark: number },
  ) => {
    readonly size: number;
  },
): readonly FlatLink[] | undefined {
  const { links, fdb, portVlans = [], vlans, arrivals = [], foreignFilters } = state;
  const aware = new Set(links.flatMap((link) => (link.bridge?.vlanFiltering ? link.name : [])));
  const many = new Set(links.flatMap((link) => (link.vxlan?.external ? link.name : [])));
  const members = Map.groupBy(portVlans, ({ dev }) => dev);
  const numbers = new Map(vlans.map(({ dev, vlan, vni }) => [`${dev} ${vlan}`, vni]));
  const marks = Map.groupBy(arrivals, ({ dev, vni }) => `${dev} ${vni}`);
  const places = new Map(
    fdb.flatMap((entry) => {
      const { dev, self, srcVni, dst, vni } = entry;
      const key = many.has(dev) ? `${dev} ${srcVni}` : dev;
      return self ? [[`${key} ${dst} ${vni}`, { key, entry }]] : [];
    }),
  );
  const sends = Map.groupBy(places.values(), ({ key }) => key);
  const sendsOf = (key: string) => sends.get(key)?.map(({ entry }) => entry) ?? [];
  const marked = foreignFilters.some((e) => e.direction === 'ingress' && /^t[pv]/.test(e.dev));
  const isOpen = (iifname: string) => hook('prerouting', { iifname, mark: 0 }).size > 0;
  if (marked || [...many].some(isOpen)) return undefined;
  const flat: FlatLink[] = [];
  for (const link of links) {
    const { name, master = '', vxlan, bridgePort } = link;
    const own = aware.has(master) ? (members.get(name) ?? []) : undefined;
    const isMapped = bridgePort?.vlanTunnel === true && vxlan?.vnifilter === true;
    const isWhole = own?.every(({ pvid }) => !pvid) ?? false;
    if (link.up && vxlan?.external === true && !(isMapped && isWhole)) return undefined;
    if (link.up && vxlan?.external === false && own !== undefined) return undefined;
    if (own === undefined) flat.push({ ...link, at: '', sends: sendsOf(name), bears });
    for (const { vlan } of own ?? []) {
      const place = { ...link, master: `${master}/${vlan}`, at: `/${vlan}`, sends: [], bears };
      const vni = numbers.get(`${name} ${vlan}`) ?? -1;
      if (vxlan === undefined) flat.push(place);
      else {
        const given = marks.get(`${name} ${vni}`) ?? [];
        const byGroup = new Map(given.map(({ group, mark }) => [group, mark]));
        if (byGroup.size < given.length) return undefined;
        const device = { vxlan: { ...vxlan, vni }, sends: sendsOf(`${name} ${vni}`) };
        flat.push({ ...place, ...device, bears: (group) => byGroup.get(group) ?? 0 });
      }
    }
  }
  return flat;
}
