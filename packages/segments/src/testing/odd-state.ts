import fc from 'fast-check';
import type { NftRule, NftTable } from '../state/nft-ruleset.ts';
import type { LinkState, NodeState } from '../state/node-state.ts';
import type { Mutation } from './mutate-state.ts';

/** Something on a node that names one segment, or belongs to several: what makes it unlike others. */
export const arbitraryOddity: fc.Arbitrary<Mutation> = fc
  .record({ at: fc.nat(999), number: fc.nat(999) })
  .chain(({ at, number }) =>
    fc.constantFrom(...Object.keys(oddities)).map((name) => ({
      name,
      apply: (state) => oddities[name]?.(state, at, number) ?? state,
    })),
  );

type Change = (state: NodeState, at: number, number: number) => NodeState;

const oddities: Readonly<Record<string, Change>> = {
  'a rule for one device': (state, at, number) =>
    withRule(state, number, [match('iifname', deviceOf(state, at)), { accept: null }]),
  'a rule for names that begin like one': (state, at, number) =>
    withRule(state, number, [
      match('oifname', `${deviceOf(state, at).slice(0, 6)}*`),
      { accept: null },
    ]),
  'a rule for one MAC': (state, at, number) => {
    const left = { payload: { protocol: 'ether', field: 'saddr' } };
    const right = state.fdb[at % Math.max(1, state.fdb.length)]?.mac ?? '';
    return withRule(state, number, [{ match: { op: '==', left, right } }, { drop: null }]);
  },
  'a rule for a range of VNIs': (state, at) => ({
    ...state,
    nft: {
      tables: state.nft.tables.map((table) =>
        table.family === 'inet'
          ? withFirst(table, 'underlay', [
              {
                match: {
                  op: '==',
                  left: { payload: { base: 'th', offset: 96, len: 24 } },
                  right: { range: [7000, 7000 + (at % 3) * 1000] },
                },
              },
              { drop: null },
            ])
          : table,
      ),
    },
  }),
  'an element for all devices': (state, at) => ({
    ...state,
    nft: {
      tables: state.nft.tables.map((table) => ({
        ...table,
        sets: table.sets.map((set) =>
          set.name === 'allow'
            ? { ...set, elements: [...set.elements, { concat: [[1, 2, 16][at % 3], 'tp*'] }] }
            : set,
        ),
      })),
    },
  }),
  'an address on a device': (state, at) => ({
    ...state,
    addresses: [
      ...state.addresses,
      { dev: deviceOf(state, at), address: '203.0.113.1', prefixLength: 24 },
    ],
  }),
  'a device on another': (state, at) => ({
    ...state,
    links: [...state.links, { ...stranger, kind: 'macvlan', lower: deviceOf(state, at) }],
  }),
  'a device of somebody else in a bridge': (state, at) => ({
    ...state,
    links: [...state.links, { ...stranger, ...masterOf(state, at) }],
  }),
  'another VXLAN device': (state, at, number) => {
    const known = state.links.find(({ vxlan }) => vxlan !== undefined);
    if (known?.vxlan === undefined) return state;
    const vni = [7000, 7001, 8000, 9000][number % 4] ?? 7000;
    const { master: _, ...rest } = known;
    const device = { ...rest, name: 'vx9', ...(at % 2 === 0 && masterOf(state, number)) };
    return { ...state, links: [...state.links, { ...device, vxlan: { ...known.vxlan, vni } }] };
  },
  'a filter of somebody else': (state, at) => ({
    ...state,
    foreignFilters: [
      { dev: deviceOf(state, at), direction: 'egress', kind: 'flower', preference: 1 },
    ],
  }),
  'a hook at a device': (state, at) => ({
    ...state,
    nft: {
      tables: [
        ...state.nft.tables,
        {
          family: 'netdev',
          name: 'other',
          sets: [],
          chains: [
            {
              name: 'in',
              base: {
                type: 'filter',
                hook: 'ingress',
                priority: 0,
                policy: 'accept',
                devices: [deviceOf(state, at)],
              },
              rules: [{ statements: [{ drop: null }] }],
            },
          ],
        },
      ],
    },
  }),
  'an address of another node': (state, at) => ({
    ...state,
    addresses: [
      ...state.addresses,
      { dev: 'eth7', address: `192.0.2.${1 + (at % 4)}`, prefixLength: 24 },
    ],
  }),
  'an entry for another VNI': (state, at) => {
    const own = state.fdb.filter(({ self }) => self);
    const chosen = own[at % Math.max(1, own.length)];
    return {
      ...state,
      fdb: state.fdb.map((entry) => (entry === chosen ? { ...entry, vni: 8000 } : entry)),
    };
  },
};

const stranger: LinkState = {
  name: 'eth9',
  kind: 'veth',
  up: true,
  mtu: 1500,
  mac: '06:00:00:00:00:99',
};

function deviceOf(state: NodeState, at: number): string {
  return state.links[at % Math.max(1, state.links.length)]?.name ?? 'none';
}

function masterOf(state: NodeState, at: number): Pick<LinkState, 'master'> {
  const bridges = state.links.filter(({ kind }) => kind === 'bridge');
  const bridge = bridges[at % Math.max(1, bridges.length)];
  return bridge === undefined ? {} : { master: bridge.name };
}

function match(key: string, right: string): unknown {
  return { match: { op: '==', left: { meta: { key } }, right } };
}

function withRule(state: NodeState, number: number, statements: readonly unknown[]): NodeState {
  const chain = ['ingress', 'forward', 'input'][number % 3] ?? 'forward';
  const tables = state.nft.tables.map((table) =>
    table.family === 'bridge' ? withFirst(table, chain, statements) : table,
  );
  return { ...state, nft: { tables } };
}

function withFirst(table: NftTable, name: string, statements: readonly unknown[]): NftTable {
  const rule: NftRule = { statements };
  return {
    ...table,
    chains: table.chains.map((chain) =>
      chain.name === name ? { ...chain, rules: [rule, ...chain.rules] } : chain,
    ),
  };
}
