import type { FdbEntry, LinkState, NodeState } from '../state/node-state.ts';
import { passesFilter } from './bpf-program.ts';
import type { Field, Frame } from './frame.ts';
import { compileHook, type HookProgram } from './nft-program.ts';

const noFrames: readonly Frame[] = [];

/** What one node does with a frame, from its observed state and nothing else. Answers are kept. */
export class NodeModel {
  readonly name: string;
  readonly state: NodeState;
  readonly links: ReadonlyMap<string, LinkState>;
  /** Members of each bridge that are up. */
  readonly members: ReadonlyMap<string, readonly LinkState[]>;
  /** VXLAN's entries: where a device sends. */
  readonly destinations: ReadonlyMap<string, readonly FdbEntry[]>;
  readonly #byVni: ReadonlyMap<number | undefined, readonly LinkState[]>;
  readonly #external: readonly LinkState[];
  readonly #stacked: ReadonlyMap<string, readonly LinkState[]>;
  readonly #bridged = new Map<string, FdbEntry>();
  readonly #filters = new Map<string, NodeState['egress'][number]>();
  readonly #foreign = new Set<string>();
  readonly #hooked: ReadonlySet<string>;
  readonly #prerouting: HookProgram;
  readonly #forward: HookProgram;
  readonly #postrouting: HookProgram;
  readonly #input: HookProgram;
  readonly #output: HookProgram;
  readonly #guard: HookProgram;
  readonly #classes = new Map<string, string>();
  readonly #forwarded = new Map<string, readonly Frame[]>();

  constructor(name: string, state: NodeState) {
    this.name = name;
    this.state = state;
    this.links = new Map(state.links.map((link) => [link.name, link]));
    this.members = Map.groupBy(
      state.links.filter((link) => link.master !== undefined && link.up),
      (link) => link.master ?? '',
    );
    this.destinations = Map.groupBy(
      state.fdb.filter((entry) => entry.self && (entry.dst ?? entry.nexthopGroup) !== undefined),
      (entry) => entry.dev,
    );
    this.#stacked = Map.groupBy(
      state.links.filter(({ lower, kind }) => lower !== undefined && kind !== 'veth'),
      (link) => link.lower ?? '',
    );
    const devices = state.links.filter((link) => link.vxlan !== undefined && link.up);
    this.#external = devices.filter((link) => link.vxlan?.external === true);
    this.#byVni = Map.groupBy(
      devices.filter((link) => link.vxlan?.external !== true),
      (link) => link.vxlan?.vni,
    );
    for (const entry of state.fdb) {
      if (!entry.self) this.#bridged.set(`${entry.dev} ${entry.mac}`, entry);
    }
    for (const filter of state.egress) {
      const known = this.#filters.get(filter.dev);
      if (known === undefined || filter.preference < known.preference) {
        this.#filters.set(filter.dev, filter);
      }
    }
    for (const { dev, direction, preference } of state.foreignFilters) {
      const ours = this.#filters.get(dev)?.preference ?? Infinity;
      if (direction === 'egress' && preference <= ours) this.#foreign.add(dev);
    }
    const { nft } = state;
    this.#hooked = new Set(
      nft.tables.flatMap(({ chains }) => chains.flatMap(({ base }) => base?.devices ?? [])),
    );
    this.#prerouting = compileHook(nft, ['bridge'], 'prerouting');
    this.#forward = compileHook(nft, ['bridge'], 'forward');
    this.#postrouting = compileHook(nft, ['bridge'], 'postrouting');
    this.#input = compileHook(nft, ['bridge'], 'input');
    this.#output = compileHook(nft, ['bridge'], 'output');
    this.#guard = compileHook(nft, ['inet', 'ip', 'ip6'], 'input');
  }

  /** Interfaces that the rules of forwarding do not tell apart have the same class. */
  classOf(device: string): string {
    const known = this.#classes.get(device);
    if (known !== undefined) return known;
    const found = `${this.#forward.classOf(device)};${this.#postrouting.classOf(device)};${this.#input.classOf(device)}`;
    this.#classes.set(device, found);
    return found;
  }

  /** Frames that come in by a bridge's port and are bridged, with the marks that they then bear. */
  enter(device: string, mark: number | undefined, fields?: Field): readonly Frame[] {
    const frame: Frame = { iif: device, oif: '', mark, fields, by: undefined };
    return this.#early(device, 'ingress', [frame]).flatMap((entry) => this.#prerouting.run(entry));
  }

  /** Frames that are forwarded from a port to another, before that port's own filter. */
  forward(from: string, to: string, mark: number | undefined): readonly Frame[] {
    const key = `${this.classOf(from)} ${to} ${mark ?? 'any'}`;
    const known = this.#forwarded.get(key);
    if (known !== undefined) return known;
    const frame: Frame = { iif: from, oif: to, mark, fields: undefined, by: undefined };
    const passed = this.#forward.run(frame).flatMap((entry) => this.#postrouting.run(entry));
    const found = this.#early(to, 'egress', passed);
    this.#forwarded.set(key, found);
    return found;
  }

  /** Frames from a port that reach the node itself, by the bridge's own interface. */
  toHost(from: string, mark: number | undefined): readonly Frame[] {
    return this.#input.run({ iif: from, oif: '', mark, fields: undefined, by: undefined });
  }

  /** Frames of the node itself that leave by a port. */
  fromHost(to: string): readonly Frame[] {
    const frame: Frame = { iif: '', oif: to, mark: 0, fields: undefined, by: undefined };
    const passed = this.#output.run(frame).flatMap((entry) => this.#postrouting.run(entry));
    return this.#early(to, 'egress', passed);
  }

  /** VXLAN packets that the node takes. */
  accepts(packet: {
    readonly device: string;
    readonly source: string;
    readonly port: number;
    readonly vni: number;
    readonly protected: boolean;
  }): readonly Frame[] {
    const protocol = packet.source.includes(':') ? 'ip6' : 'ip';
    const known: readonly (readonly [string, string])[] = [
      ['protocol', protocol],
      ['l4proto', 'udp'],
      ['udp dport', String(packet.port)],
      [`${protocol} saddr`, packet.source],
      ['@th,96,24', String(packet.vni)],
      ['ipsec', String(packet.protected)],
    ];
    let fields: Field | undefined;
    for (const [key, value] of known) {
      fields = { key, values: [value], without: false, next: fields };
    }
    return this.#guard.run({ iif: packet.device, oif: '', mark: 0, fields, by: undefined });
  }

  /** Whether the filter at a port's egress is there, and nobody decides before it. */
  hasFilter(device: string): boolean {
    return this.#filters.has(device) && !this.#foreign.has(device);
  }

  /** Whether frames with this mark leave by a port. */
  leaves(device: string, mark: number | undefined): boolean {
    const filter = this.#filters.get(device);
    if (filter === undefined || this.#foreign.has(device)) return true;
    return passesFilter(filter.program, mark);
  }

  /** Devices that stand on another, such as a macvlan; a veth's other end does not. */
  stackedOn(device: string): readonly LinkState[] {
    return this.#stacked.get(device) ?? [];
  }

  /** A device of the underlay that carries no encrypted packets: where plaintext comes in. */
  outside(): string | undefined {
    const inside = new Set(this.state.wireguard.map(({ dev }) => dev));
    return this.state.addresses.find(({ dev }) => dev !== 'lo' && !inside.has(dev))?.dev;
  }

  /** VXLAN devices that are up and take packets of a VNI. */
  receivers(port: number, vni: number): readonly LinkState[] {
    const own = this.#byVni.get(vni) ?? [];
    const external = this.#external.filter(
      ({ name, vxlan }) =>
        vxlan?.vnifilter !== true ||
        this.state.vnis.some(
          (range) => range.dev === name && range.first <= vni && vni <= range.last,
        ),
    );
    return [...own, ...external].filter(({ vxlan }) => vxlan?.port === port);
  }

  /** Whether a frame for a MAC goes out by that member of its bridge. */
  switches(device: string, mac: string): boolean {
    const entry = this.#bridged.get(`${device} ${mac}`);
    if (entry !== undefined) return entry.local !== true;
    return this.links.get(device)?.bridgePort?.flood === true;
  }

  /** Chains of the family netdev, which see frames before and after the bridge. */
  #early(device: string, hook: string, frames: readonly Frame[]): readonly Frame[] {
    if (frames.length === 0) return noFrames;
    if (!this.#hooked.has(device)) return frames;
    const program = compileHook(this.state.nft, ['netdev', 'inet'], hook, device);
    return frames.flatMap((frame) => program.run(frame));
  }
}
