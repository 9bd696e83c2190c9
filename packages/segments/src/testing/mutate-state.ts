import fc from 'fast-check';
import type { NftRuleset, NftTable } from '../state/nft-ruleset.ts';
import type { LinkState, NodeState } from '../state/node-state.ts';

/** A change of one thing in a node's state, as a mishap or an intruder would make it. */
export interface Mutation {
  readonly name: string;
  readonly apply: (state: NodeState) => NodeState;
}

/** `at` chooses among what is there, so that a mutation fits every state. */
function pick<T>(list: readonly T[], at: number): T | undefined {
  return list[at % Math.max(1, list.length)];
}

function withTables(state: NodeState, change: (table: NftTable) => NftTable): NodeState {
  const nft: NftRuleset = { tables: state.nft.tables.map(change) };
  return { ...state, nft };
}

function withLink(
  state: NodeState,
  at: number,
  change: (link: LinkState, links: readonly LinkState[]) => LinkState,
): NodeState {
  const chosen = pick(state.links, at);
  return {
    ...state,
    links: state.links.map((link) => (link === chosen ? change(link, state.links) : link)),
  };
}

type Change = (state: NodeState, at: number, number: number) => NodeState;

/** Elements that are keys of a name and a mark, with other marks. */
function remark(element: unknown, mark: number): unknown {
  if (Array.isArray(element)) return [element[0], mark];
  const { concat } = element as { readonly concat: readonly unknown[] };
  return { concat: concat.map((part) => (typeof part === 'number' ? mark : part)) };
}

/** Marks that frames can bear: where segments are VLANs, each has its own. */
function marksOf(state: NodeState): readonly number[] {
  const given = state.egress.flatMap(({ program }) =>
    program.flatMap(({ code, k }) => (code === 0x15 && k > 0xffff ? k : [])),
  );
  return given.length === 0 ? [1, 2, 16, 17] : [...new Set(given)];
}

/** The list with something else in place of one of its entries. */
function replaced<T>(list: readonly T[], at: number, change: (entry: T) => T): readonly T[] {
  const chosen = pick(list, at);
  return list.map((entry) => (entry === chosen ? change(entry) : entry));
}

/** Of nodes whose segments are VLANs; nothing to others. */
const vlanChanges: Readonly<Record<string, Change>> = {
  'a port is in another VLAN': (state, at, number) => {
    const { portVlans = [] } = state;
    const vlan = pick(portVlans, number)?.vlan ?? 1;
    return { ...state, portVlans: replaced(portVlans, at, (entry) => ({ ...entry, vlan })) };
  },
  'a port is in one more VLAN': (state, at, number) => {
    const { portVlans = [] } = state;
    const [dev, vlan] = [pick(portVlans, at)?.dev, pick(portVlans, number)?.vlan];
    if (dev === undefined || vlan === undefined) return state;
    if (portVlans.some((entry) => entry.dev === dev && entry.vlan === vlan)) return state;
    return { ...state, portVlans: [...portVlans, { dev, vlan, pvid: false, untagged: true }] };
  },
  'a port is in no VLAN': (state, at) => ({
    ...state,
    portVlans: (state.portVlans ?? []).filter((entry) => entry !== pick(state.portVlans ?? [], at)),
  }),
  'a VLAN has another VNI': (state, at, number) => {
    const vni = pick(state.vlans, number)?.vni ?? 0;
    const others = state.vlans.filter((entry) => entry.vni !== vni);
    return { ...state, vlans: replaced(others, at, (entry) => ({ ...entry, vni })) };
  },
  'a VLAN has no VNI': (state, at) => ({
    ...state,
    vlans: state.vlans.filter((entry) => entry !== pick(state.vlans, at)),
  }),
  'arrivals bear another mark': (state, at, number) => ({
    ...state,
    arrivals: replaced(state.arrivals ?? [], at, (entry) => ({
      ...entry,
      mark: pick(marksOf(state), number) ?? 1,
    })),
  }),
  'a bridge has no VLANs any more': (state) => ({
    ...state,
    links: state.links.map((link) =>
      link.bridge === undefined
        ? link
        : { ...link, bridge: { ...link.bridge, vlanFiltering: false } },
    ),
  }),
  'VLANs are not what VNIs are': (state, at) =>
    withLink(state, at, (link) =>
      link.bridgePort === undefined
        ? link
        : { ...link, bridgePort: { ...link.bridgePort, vlanTunnel: false } },
    ),
  'an entry is of another VLAN': (state, at, number) => {
    const vlan = pick(state.portVlans ?? [], number)?.vlan;
    const inBridge = state.fdb.filter((entry) => entry.vlan !== undefined);
    if (vlan === undefined) return state;
    const chosen = pick(inBridge, at);
    return {
      ...state,
      fdb: state.fdb.map((entry) => (entry === chosen ? { ...entry, vlan } : entry)),
    };
  },
};

const changes: Readonly<Record<string, Change>> = {
  'a rule is gone': (state, at, number) => {
    const chains = state.nft.tables.flatMap(({ chains: list }) => list);
    const chosen = pick(chains, at);
    return withTables(state, (table) => ({
      ...table,
      chains: table.chains.map((chain) =>
        chain === chosen
          ? {
              ...chain,
              rules: chain.rules.filter((_, index) => index !== number % chain.rules.length),
            }
          : chain,
      ),
    }));
  },
  'rules come where netfilter goes past them': (state) =>
    withTables(state, (table) => ({
      ...table,
      chains: table.chains.map((chain) =>
        chain.base?.hook === 'forward' ? { ...chain, base: { ...chain.base, priority: 0 } } : chain,
      ),
    })),
  'a table is flushed': (state, at) => {
    const chosen = pick(state.nft.tables, at);
    return withTables(state, (table) => (table === chosen ? { ...table, chains: [] } : table));
  },
  'an element has another mark': (state, at, number) => {
    const sets = state.nft.tables
      .flatMap((table) => table.sets)
      .filter((set) => ['groups', 'allow', 'remote'].includes(set.name) && set.elements.length > 0);
    const chosen = pick(sets, at);
    return withTables(state, (table) => ({
      ...table,
      sets: table.sets.map((set) =>
        set === chosen
          ? {
              ...set,
              elements: set.elements.map((element, index) =>
                index === number % set.elements.length
                  ? remark(element, pick([...marksOf(state), 0], number) ?? 0)
                  : element,
              ),
            }
          : set,
      ),
    }));
  },
  'an element is gone': (state, at, number) => {
    const sets = state.nft.tables
      .flatMap((table) => table.sets)
      .filter((set) => set.elements.length > 0);
    const chosen = pick(sets, at);
    return withTables(state, (table) => ({
      ...table,
      sets: table.sets.map((set) =>
        set === chosen
          ? {
              ...set,
              elements: set.elements.filter((_, index) => index !== number % set.elements.length),
            }
          : set,
      ),
    }));
  },
  'one more mark is allowed': (state, at, number) =>
    withTables(state, (table) => ({
      ...table,
      sets: table.sets.map((set) =>
        set.name === 'allow'
          ? {
              ...set,
              elements: [
                ...set.elements,
                { concat: [pick(marksOf(state), number), pick(state.links, at)?.name ?? ''] },
              ],
            }
          : set,
      ),
    })),
  'a filter is gone': (state, at) => ({
    ...state,
    egress: state.egress.filter((entry) => entry !== pick(state.egress, at)),
  }),
  'a filter compares with another mark': (state, at, number) => {
    const chosen = pick(state.egress, at);
    return {
      ...state,
      egress: state.egress.map((entry) =>
        entry === chosen
          ? {
              ...entry,
              program: entry.program.map((step) =>
                step.code === 0x15
                  ? { ...step, k: pick([...marksOf(state), 0], number) ?? 0 }
                  : step,
              ),
            }
          : entry,
      ),
    };
  },
  'a filter answers the contrary': (state, at) => {
    const chosen = pick(state.egress, at);
    return {
      ...state,
      egress: state.egress.map((entry) =>
        entry === chosen
          ? {
              ...entry,
              program: entry.program.map((step) =>
                step.code === 0x06 ? { ...step, k: step.k === 2 ? 0 : 2 } : step,
              ),
            }
          : entry,
      ),
    };
  },
  'a port is in another bridge': (state, at, number) =>
    withLink(state, at, (link, links) => {
      const bridge = pick(
        links.filter(({ kind }) => kind === 'bridge'),
        number,
      );
      return link.kind === 'bridge' || bridge === undefined
        ? link
        : { ...link, master: bridge.name };
    }),
  'a device has another VNI': (state, at, number) =>
    withLink(state, at, (link) =>
      link.vxlan === undefined
        ? link
        : { ...link, vxlan: { ...link.vxlan, vni: 7000 + (number % 2) } },
    ),
  'groups are not carried': (state, at) =>
    withLink(state, at, (link) =>
      link.vxlan === undefined ? link : { ...link, vxlan: { ...link.vxlan, gbp: false } },
    ),
  'a flag of a bridge port is flipped': (state, at, number) =>
    withLink(state, at, (link) => {
      if (link.bridgePort === undefined) return link;
      const flag = pick(['isolated', 'flood', 'hairpin', 'learning'] as const, number) ?? 'flood';
      return { ...link, bridgePort: { ...link.bridgePort, [flag]: !link.bridgePort[flag] } };
    }),
  'an entry sends to another node': (state, at, number) => {
    const chosen = pick(
      state.fdb.filter(({ self }) => self),
      at,
    );
    return {
      ...state,
      fdb: state.fdb.map((entry) =>
        entry === chosen ? { ...entry, dst: `192.0.2.${1 + (number % 4)}` } : entry,
      ),
    };
  },
  'an entry is gone': (state, at) => ({
    ...state,
    fdb: state.fdb.filter((entry) => entry !== pick(state.fdb, at)),
  }),
  'a neighbour is told of elsewhere': (state, at, number) => ({
    ...state,
    neighbours: replaced(state.neighbours, at, (entry) => ({
      ...entry,
      mac: pick(state.neighbours, number)?.mac ?? entry.mac,
    })),
  }),
};

export const arbitraryMutation: fc.Arbitrary<Mutation> = mutationsOf(changes);

export const arbitraryVlanMutation: fc.Arbitrary<Mutation> = mutationsOf(vlanChanges);

function mutationsOf(of: Readonly<Record<string, Change>>): fc.Arbitrary<Mutation> {
  return fc
    .record({ name: fc.constantFrom(...Object.keys(of)), at: fc.nat(999), number: fc.nat(999) })
    .map(({ name, at, number }) => ({
      name,
      apply: (state) => of[name]?.(state, at, number) ?? state,
    }));
}
