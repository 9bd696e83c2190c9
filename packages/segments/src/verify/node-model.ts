import type { FdbEntry, LinkState, Neighbour, NodeState } from '../state/node-state.ts';
import { type Arrival, ArrivalMarks } from './arrival-marks.ts';
import { passesFilter } from './bpf-program.ts';
import { BridgeVlans, noVlan } from './bridge-vlans.ts';
import { covers, type Field, type Frame } from './frame.ts';
import { type Answer, NeighbourAnswers } from './neighbour-answers.ts';
import { compileHook, type HookProgram } from './nft-program.ts';
import { isSkipped } from './past-netfilter.ts';

const noFrames: readonly Frame[] = [];

/** What one node does with a frame, from its observed state and nothing else. Answers are kept. */
export class NodeModel {
  readonly name: string;
  readonly state: NodeState;
  readonly links: ReadonlyMap<string, LinkState>;
  readonly vlans: BridgeVlans;
  /** VXLAN's entries, by device, and by VNI where it has many: where it sends. */
  readonly #destinations: ReadonlyMap<string, readonly FdbEntry[]>;
  readonly #arrivals: ArrivalMarks;
  readonly #answers: NeighbourAnswers;
  #openToMore: boolean | undefined;
  readonly #byVni: ReadonlyMap<number | undefined, readonly LinkState[]>;
  readonly #external: readonly LinkState[];
  readonly #stacked: ReadonlyMap<string, readonly LinkState[]>;
  /** Entries of bridges by MAC. */
  readonly #bridged: ReadonlyMap<string, readonly FdbEntry[]>;
  readonly #filters = new Map<string, NodeState['egress'][number]>();
  readonly #foreign = new Set<string>();
  readonly #hooked: ReadonlySet<string>;
  readonly #hooks: Hooks;
  readonly #answered: RuleAnswers;
  readonly #left = new Map<string, boolean>();
  readonly #targets = new Map<string, readonly FdbEntry[]>();

  constructor(name: string, state: NodeState, before?: NodeModel) {
    this.name = name;
    this.state = state;
    const linked = before !== undefined && before.state.links === state.links ? before : undefined;
    this.links = linked?.links ?? new Map(state.links.map((link) => [link.name, link]));
    this.vlans = new BridgeVlans(state);
    this.#arrivals = new ArrivalMarks(state);
    this.#destinations = Map.groupBy(
      state.fdb.filter((entry) => entry.self && (entry.dst ?? entry.nexthopGroup) !== undefined),
      ({ dev, srcVni }) =>
        this.links.get(dev)?.vxlan?.external === true ? `${dev} ${srcVni}` : dev,
    );
    this.#stacked =
      linked === undefined
        ? Map.groupBy(
            state.links.filter(({ lower, kind }) => lower !== undefined && kind !== 'veth'),
            (link) => link.lower ?? '',
          )
        : linked.#stacked;
    const devices = state.links.filter((link) => link.vxlan !== undefined && link.up);
    this.#external = devices.filter((link) => link.vxlan?.external === true);
    this.#byVni =
      linked === undefined
        ? Map.groupBy(
            devices.filter((link) => link.vxlan?.external !== true),
            (link) => link.vxlan?.vni,
          )
        : linked.#byVni;
    this.#bridged = Map.groupBy(
      state.fdb.filter(({ self }) => !self),
      ({ mac }) => mac,
    );
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
    const same = before !== undefined && before.state.nft === nft ? before : undefined;
    this.#hooks = same === undefined ? readHooks(nft) : same.#hooks;
    this.#answered = same === undefined ? noAnswers() : same.#answered;
    this.#answers = new NeighbourAnswers(state, { links: this.links, output: this.#hooks.arp });
  }

  /** Whether rules of bridges are where netfilter of IP, when it is on for bridges, goes past them. */
  get skipsRules(): boolean {
    return this.state.nft.tables.some(
      ({ family, chains }) =>
        family === 'bridge' &&
        chains.some(({ base }) => base && isSkipped(base.hook, base.priority)),
    );
  }

  /**
   * Whether more may come in than what VLANs have VNIs for: frames with a tag of their own, or of a VNI
   * that no VLAN has, or with a mark that others give. No certificate is of such a node.
   */
  get isOpenToMore(): boolean {
    this.#openToMore ??= this.state.links.some((link) => {
      if (link.vxlan === undefined || !link.up) return false;
      if (this.#arrivals.isForeign(link.name)) return true;
      if (!link.vxlan.external) return this.vlans.isAware(link.master);
      return (
        !this.vlans.isMapped(link) ||
        !link.vxlan.vnifilter ||
        this.enter(link.name, this.#arrivals.ofTagged(link, undefined)).length > 0
      );
    });
    return this.#openToMore;
  }

  /** Interfaces that the rules of forwarding do not tell apart have the same class. */
  classOf(device: string): number {
    return remember(this.#answered.classes, device, () => {
      const { forward, postrouting, input } = this.#hooks;
      const tests = [forward, postrouting, input].map((hook) => hook.classOf(device)).join(';');
      return remember(this.#answered.numbers, tests, () => this.#answered.numbers.size);
    });
  }

  /** Frames that come in by a bridge's port and are bridged, with the marks that they then bear. */
  enter(device: string, mark: number | undefined, fields?: Field): readonly Frame[] {
    if (fields !== undefined) return this.#enter(device, mark, fields);
    return remember(this.#answered.entered, `${device} ${mark ?? 'any'}`, () =>
      this.#enter(device, mark, undefined),
    );
  }

  /** The same for frames of which much is known, without running rules where their set says enough. */
  enterKnown(
    device: string,
    mark: number | undefined,
    fields: Field | undefined,
  ): readonly Frame[] {
    const sets = this.enter(device, mark).filter((frame) => covers(frame, fields));
    if (sets.some(({ loose }) => loose)) return this.#enter(device, mark, fields);
    return sets.map((frame) => ({ ...frame, fields: also(fields, frame.fields) }));
  }

  #enter(device: string, mark: number | undefined, fields: Field | undefined): readonly Frame[] {
    const frame: Frame = { iif: device, oif: '', mark, fields, by: undefined, loose: false };
    return this.#early(device, 'ingress', [frame]).flatMap((entry) =>
      this.#hooks.prerouting.run(entry),
    );
  }

  /** Frames that are forwarded from a port to another, before that port's own filter. */
  forward(from: string, to: string, mark: number | undefined): readonly Frame[] {
    const key = `${this.classOf(from)} ${to} ${mark ?? 'any'}`;
    const known = this.#answered.forwarded.get(key);
    if (known !== undefined) return known;
    const frame: Frame = {
      iif: from,
      oif: to,
      mark,
      fields: undefined,
      by: undefined,
      loose: false,
    };
    const passed = this.#hooks.forward
      .run(frame)
      .flatMap((entry) => this.#hooks.postrouting.run(entry));
    const found = this.#early(to, 'egress', passed);
    this.#answered.forwarded.set(key, found);
    return found;
  }

  /** The same for frames of which more than the mark is known. */
  carry(from: string, to: string, frame: Frame): readonly Frame[] {
    const blind = !this.#hooks.forward.readsFields && !this.#hooks.postrouting.readsFields;
    if (blind && !this.#hooked.has(to)) {
      const passed = this.forward(from, to, frame.mark);
      return passed.map((entry) => ({ ...entry, fields: frame.fields }));
    }
    const passed = this.#hooks.forward
      .run({ ...frame, iif: from, oif: to })
      .flatMap((entry) => this.#hooks.postrouting.run(entry));
    return this.#early(to, 'egress', passed);
  }

  /** Frames from a port that reach the node itself, by the bridge's own interface. */
  toHost(from: string, mark: number | undefined): readonly Frame[] {
    return this.#hooks.input.run({
      iif: from,
      oif: '',
      mark,
      fields: undefined,
      by: undefined,
      loose: false,
    });
  }

  /** Frames of the node itself that leave by a port. */
  fromHost(to: string): readonly Frame[] {
    const frame: Frame = {
      iif: '',
      oif: to,
      mark: 0,
      fields: undefined,
      by: undefined,
      loose: false,
    };
    const passed = this.#hooks.output
      .run(frame)
      .flatMap((entry) => this.#hooks.postrouting.run(entry));
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
    const { device, source, port, vni } = packet;
    const key = `${device} ${source} ${port} ${vni} ${packet.protected}`;
    return remember(this.#answered.accepted, key, () => this.#accept(packet));
  }

  #accept(packet: {
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
    return this.#hooks.guard.run({
      iif: packet.device,
      oif: '',
      mark: 0,
      fields,
      by: undefined,
      loose: false,
    });
  }

  /** Whether the filter at a port's egress is there, and nobody decides before it. */
  hasFilter(device: string): boolean {
    return this.#filters.has(device) && !this.#foreign.has(device);
  }

  /** Whether frames with this mark leave by a port. */
  leaves(device: string, mark: number | undefined): boolean {
    const filter = this.#filters.get(device);
    if (filter === undefined || this.#foreign.has(device)) return true;
    const key = `${device} ${mark ?? 'any'}`;
    return remember(this.#left, key, () => passesFilter(filter.program, mark));
  }

  /** Entries of a VXLAN device for frames of a VLAN of its bridge. */
  #entriesOf(device: LinkState, vlan: number): readonly FdbEntry[] {
    return this.#destinations.get(this.#flowOf(device, vlan)) ?? [];
  }

  /** One with many VNIs sends with that of the VLAN, by the entries of that VNI, or not at all. */
  #flowOf(device: LinkState, vlan: number): string {
    if (device.vxlan?.external !== true) return device.name;
    return `${device.name} ${this.vlans.vniOf(device, vlan) ?? 'none'}`;
  }

  /** The VNI that frames go out with by an entry, unless it says another. */
  vniOf(device: LinkState, vlan: number): number | undefined {
    return device.vxlan?.external === true ? this.vlans.vniOf(device, vlan) : device.vxlan?.vni;
  }

  /** Where a VXLAN device sends at all, each place once. */
  targets(device: LinkState, vlan: number): readonly FdbEntry[] {
    return remember(this.#targets, this.#flowOf(device, vlan), () => {
      const places = new Map<string, FdbEntry>();
      for (const entry of this.#entriesOf(device, vlan)) {
        const { dst, vni, srcVni, port, via, nexthopGroup } = entry;
        const place = [dst, vni, srcVni, port, via, nexthopGroup].join(' ');
        if (!places.has(place)) places.set(place, entry);
      }
      return [...places.values()];
    });
  }

  /** Devices that stand on another, such as a macvlan; a veth's other end does not. */
  stackedOn(device: string): readonly LinkState[] {
    return this.#stacked.get(device) ?? [];
  }

  /** VXLAN devices that are up and take packets of a VNI. */
  receivers(port: number, vni: number): readonly LinkState[] {
    const own = this.#byVni.get(vni) ?? [];
    const external = this.#external.filter(
      ({ name, vxlan }) => vxlan?.vnifilter !== true || this.#arrivals.takes(name, vni),
    );
    return [...own, ...external].filter(({ vxlan }) => vxlan?.port === port);
  }

  /**
   * The VLANs and marks that frames of a VNI and group have which come out of a VXLAN device; of a
   * group that can be any, all that there are. One with a tag of its own chooses its VLAN.
   */
  arrivalsAt(device: LinkState, vni: number, group: number | undefined): readonly Arrival[] {
    const found: Arrival[] = [];
    const vlan = this.vlans.vlanOf(device, vni);
    if (vlan !== undefined) {
      for (const mark of this.#arrivals.of(device, vni, group)) found.push({ vlan, mark });
    }
    const tagged = this.#arrivals.ofTagged(device, group);
    // Rules that let none of them in spare all VLANs.
    if (this.enter(device.name, tagged).length === 0) return found;
    const others = this.vlans.of(device).filter((other) => other !== vlan || tagged !== group);
    return [...found, ...others.map((other) => ({ vlan: other, mark: tagged }))];
  }

  /**
   * Members of a bridge by which frames for a MAC leave: those that an entry names, whether they can
   * or not, else those that flood; all where it is for everybody.
   */
  outputs(bridge: string, vlan: number, mac: string | undefined): readonly LinkState[] {
    const members = this.vlans.members(bridge, vlan);
    if (mac === undefined) return members;
    const entries = this.#entriesIn(bridge, vlan, mac);
    if (entries.length === 0) return members.filter(({ bridgePort }) => bridgePort?.flood === true);
    return members.filter(({ name }) =>
      entries.some(({ dev, local }) => dev === name && local !== true),
    );
  }

  #entriesIn(bridge: string, vlan: number, mac: string): readonly FdbEntry[] {
    return (this.#bridged.get(mac) ?? []).filter(
      (entry) => (entry.vlan ?? noVlan) === vlan && this.links.get(entry.dev)?.master === bridge,
    );
  }

  /** Whom the bridge of a port can answer for. */
  neighboursOf(port: LinkState): readonly Neighbour[] {
    return this.#answers.of(port);
  }

  /** What becomes of an ARP request without a tag that was let in from a port. */
  answerTo(device: string, address: string): Answer {
    const port = this.links.get(device);
    const vlan = port && this.vlans.untagged(port);
    if (port === undefined || vlan === undefined) return { kind: 'kept' };
    const entries = (mac: string) => this.#entriesIn(port.master ?? '', vlan, mac);
    return this.#answers.answer(port, { vlan, address, entries });
  }

  /** Where a VXLAN device sends frames for a MAC; what it does not know, and broadcasts, it floods. */
  remotes(device: LinkState, vlan: number, mac: string | undefined): readonly FdbEntry[] {
    const entries = this.#entriesOf(device, vlan);
    const own = mac === undefined ? [] : entries.filter((entry) => entry.mac === mac);
    return own.length > 0 ? own : entries.filter((entry) => /^[0:]+$/.test(entry.mac));
  }

  /** Chains of the family netdev, which see frames before and after the bridge. */
  #early(device: string, hook: string, frames: readonly Frame[]): readonly Frame[] {
    if (frames.length === 0) return noFrames;
    if (!this.#hooked.has(device)) return frames;
    const program = compileHook(this.state.nft, ['netdev', 'inet'], hook, device);
    return frames.flatMap((frame) => program.run(frame));
  }
}

interface Hooks {
  readonly prerouting: HookProgram;
  readonly forward: HookProgram;
  readonly postrouting: HookProgram;
  readonly input: HookProgram;
  readonly output: HookProgram;
  /** What a bridge answers for others. */
  readonly arp: HookProgram;
  /** Of the underlay. */
  readonly guard: HookProgram;
}

/** What rules were found to do with frames, which is so for as long as the rules are the same. */
interface RuleAnswers {
  readonly classes: Map<string, number>;
  readonly numbers: Map<string, number>;
  readonly forwarded: Map<string, readonly Frame[]>;
  readonly entered: Map<string, readonly Frame[]>;
  readonly accepted: Map<string, readonly Frame[]>;
}

function noAnswers(): RuleAnswers {
  return {
    classes: new Map(),
    numbers: new Map(),
    forwarded: new Map(),
    entered: new Map(),
    accepted: new Map(),
  };
}

function readHooks(nft: NodeState['nft']): Hooks {
  return {
    prerouting: compileHook(nft, ['bridge'], 'prerouting'),
    forward: compileHook(nft, ['bridge'], 'forward'),
    postrouting: compileHook(nft, ['bridge'], 'postrouting'),
    input: compileHook(nft, ['bridge'], 'input'),
    output: compileHook(nft, ['bridge'], 'output'),
    arp: compileHook(nft, ['arp'], 'output'),
    guard: compileHook(nft, ['inet', 'ip', 'ip6'], 'input'),
  };
}

/** Fields that are found before others of the same key. */
function also(known: Field | undefined, fields: Field | undefined): Field | undefined {
  return known === undefined ? fields : { ...known, next: also(known.next, fields) };
}

function remember<T>(known: Map<string, T>, key: string, find: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const value = find();
  known.set(key, value);
  return value;
}
