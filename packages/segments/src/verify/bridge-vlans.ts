import type { LinkState, NodeState, PortVlan } from '../state/node-state.ts';

/** Of bridges that have no VLANs: all of it is one. */
export const noVlan = 0;

/** Which VLANs frames of a bridge are in, and which VNI each has in a VXLAN device of many. */
export class BridgeVlans {
  readonly #aware: ReadonlySet<string>;
  readonly #ports: ReadonlyMap<string, readonly PortVlan[]>;
  /** Members that are up, by bridge and VLAN. */
  readonly #members: ReadonlyMap<string, readonly LinkState[]>;
  readonly #vnis: ReadonlyMap<string, number>;
  readonly #vlans: ReadonlyMap<string, number>;

  constructor({ links, portVlans = [], vlans }: NodeState) {
    this.#aware = new Set(
      links.flatMap(({ name, bridge }) => (bridge?.vlanFiltering === true ? [name] : [])),
    );
    this.#ports = Map.groupBy(portVlans, ({ dev }) => dev);
    const members = new Map<string, LinkState[]>();
    for (const link of links) {
      if (link.master === undefined || !link.up) continue;
      for (const vlan of this.of(link)) {
        const key = `${link.master} ${vlan}`;
        const list = members.get(key);
        if (list === undefined) members.set(key, [link]);
        else list.push(link);
      }
    }
    this.#members = members;
    this.#vnis = new Map(vlans.map(({ dev, vlan, vni }) => [`${dev} ${vlan}`, vni]));
    this.#vlans = new Map(vlans.map(({ dev, vlan, vni }) => [`${dev} ${vni}`, vlan]));
  }

  /** VLANs that frames of a port can be in: the sender chooses among them by a tag. */
  of({ name, master }: LinkState): readonly number[] {
    if (master === undefined || !this.#aware.has(master)) return [noVlan];
    return this.#ports.get(name)?.map(({ vlan }) => vlan) ?? [];
  }

  isAware(bridge: string | undefined): boolean {
    return bridge !== undefined && this.#aware.has(bridge);
  }

  /** Whether frames come into VLANs by a device only as VNIs are mapped to them. */
  isMapped({ name, master, bridgePort }: LinkState): boolean {
    const own = this.#ports.get(name) ?? [];
    return (
      this.isAware(master) && bridgePort?.vlanTunnel === true && own.every(({ pvid }) => !pvid)
    );
  }

  /** Where frames without a tag are; undefined where they are dropped. */
  untagged({ name, master }: LinkState): number | undefined {
    if (master === undefined || !this.#aware.has(master)) return noVlan;
    return this.#ports.get(name)?.find(({ pvid }) => pvid)?.vlan;
  }

  /** Whether frames of a VLAN leave by a port without a tag. */
  leavesUntagged({ name }: LinkState, vlan: number): boolean {
    if (vlan === noVlan) return true;
    return this.#ports.get(name)?.some((own) => own.vlan === vlan && own.untagged) === true;
  }

  members(bridge: string, vlan: number): readonly LinkState[] {
    return this.#members.get(`${bridge} ${vlan}`) ?? [];
  }

  /** The VNI that a VXLAN device of many sends frames of a VLAN with; undefined: it drops them. */
  vniOf({ name, bridgePort }: LinkState, vlan: number): number | undefined {
    if (vlan === noVlan || bridgePort?.vlanTunnel !== true) return undefined;
    return this.#vnis.get(`${name} ${vlan}`);
  }

  /** Where frames are that come with a VNI out of a VXLAN device of many, and have no tag. */
  vlanOf(link: LinkState, vni: number): number | undefined {
    const { master, name, bridgePort } = link;
    if (master === undefined || !this.#aware.has(master)) return noVlan;
    const mapped = bridgePort?.vlanTunnel === true ? this.#vlans.get(`${name} ${vni}`) : undefined;
    if (mapped === undefined) return this.untagged(link);
    return this.of(link).includes(mapped) ? mapped : undefined;
  }
}
