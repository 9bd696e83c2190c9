import { expect, test } from 'vitest';
import { compileNode, wholeState } from '../compile/compile-node.ts';
import type { NodeCapabilities } from '../compile/node-capabilities.ts';
import type { Encryption, FabricIntent, NodeIntent } from '../intent/segment-intent.ts';
import { commandText } from '../plan/command.ts';
import { parseOperation } from '../plan/parse-operation.ts';
import { planNode } from '../plan/plan-node.ts';
import { renderOperation } from '../plan/render-operation.ts';
import { emptyState } from '../state/empty-state.ts';
import { capable } from '../testing/sample-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import { ipsecSpi } from './ipsec-numbers.ts';
import { keyPhase } from './key-phase.ts';

const capabilities: NodeCapabilities = { ...capable, linkMtu: 1500 };
const nodes: readonly NodeIntent[] = [1, 2, 3].map((number) => ({
  name: `n${number}`,
  vtep: `10.99.0.${number}`,
  underlay: `192.0.2.${number}`,
  agreementKey: `${number}`.repeat(43),
  keyGeneration: 1,
  link: {
    interface: 'eth1',
    address: `198.51.100.${number}`,
    prefixLength: 24,
    mac: `06:00:00:00:00:0${number}`,
  },
  wrappedKeys: [0, 1, 2, 3].map((epoch) => ({ epoch, generation: 1, sealed: 'A'.repeat(80) })),
}));

function intentOf(encryptions: readonly Encryption[], step = 0): FabricIntent {
  return {
    vxlanPort: 4789,
    nodes,
    keys: keyPhase(step),
    segments: encryptions.map((encryption, number) => ({
      name: `s${number}`,
      vni: 7000 + number,
      subnet: `10.${number}.0.0/24`,
      mtu: 1280,
      encryption,
      communities: {},
      ports: ['n1', 'n2'].map((node, index) => ({
        node,
        index: index + 1,
        incarnation: 1,
        owner: 'w',
        addresses: [`10.${number}.0.${index + 1}`],
        role: { kind: 'promiscuous' },
        attach: { kind: 'host' },
      })),
    })),
  };
}

const ipsec: Encryption = { underlay: 'ipsec', link: 'none' };
const macsec: Encryption = { underlay: 'none', link: 'macsec' };
const none: Encryption = { underlay: 'none', link: 'none' };

function stateOf(intent: FabricIntent, change: Partial<NodeCapabilities> = {}): NodeState {
  const compiled = compileNode(intent, {
    node: 'n1',
    capabilities: { ...capabilities, ...change },
  });
  expect(compiled.refused).toEqual([]);
  return wholeState(compiled);
}

/** What a kernel would show: no keys, and the MTU at the link. */
function standing(state: NodeState): NodeState {
  const tm0 = state.macsec.map(({ dev, mtu = 0 }) => ({
    name: dev,
    kind: 'macsec',
    up: true,
    mtu,
    mac: '',
  }));
  return { ...state, links: [...state.links, ...tm0] };
}

function kinds(desired: NodeState, observed: NodeState): readonly string[] {
  return planNode(desired, observed).map(({ kind }) => kind);
}

function withoutKeys({ vxlanPort, segments }: FabricIntent): FabricIntent {
  return { vxlanPort, nodes, segments };
}

function withoutLinks(intent: FabricIntent): FabricIntent {
  const bare = nodes.map(({ name, vtep, underlay, agreementKey = '' }) => ({
    name,
    vtep,
    underlay,
    agreementKey,
  }));
  return { ...intent, nodes: bare };
}

test('what drops plaintext comes first, then keys and policies, and all of it before any device', () => {
  const plan = kinds(stateOf(intentOf([ipsec])), emptyState);
  expect(plan.slice(0, 7)).toEqual([
    'guard-install',
    'association-add',
    'association-add',
    'policy-set',
    'policy-set',
    'policy-set',
    'policy-set',
  ]);
  expect(kinds(emptyState, stateOf(intentOf([ipsec]))).slice(-1)).toEqual(['guard-delete']);
  expect(plan.indexOf('link-add')).toBeGreaterThan(plan.lastIndexOf('policy-set'));
});

test('a plan names keys and shows none, and each operation passes the process with rights', () => {
  const plan = planNode(stateOf(intentOf([ipsec, macsec])), emptyState);
  const secret = 'c0ffee'.repeat(10);
  const options = { wireguardKeyFile: 'f', keyOf: () => secret };
  const lines = plan.flatMap((operation) => renderOperation(parseOperation(operation), options));
  expect(lines.some(({ line }) => line.includes(secret))).toBe(true);
  const shown = lines.map(commandText).join('\n');
  expect(shown).not.toContain(secret);
  expect(shown).toContain('<esp key 0.1 of n1 for n2>');
  expect(shown).toContain('<macsec key 0.1 of n2 for n1>');
});

test('all else on the port is blocked, but peers of segments in the clear or inside WireGuard', () => {
  const blocks = (encryptions: readonly Encryption[]): number =>
    stateOf(intentOf(encryptions)).xfrm.policies.filter(({ action }) => action === 'block').length;
  const letThrough = (encryptions: readonly Encryption[]): readonly string[] =>
    stateOf(intentOf(encryptions))
      .xfrm.policies.filter(
        ({ requestId, action }) => action === 'allow' && requestId === undefined,
      )
      .map(({ direction, source, destination }) => `${direction} ${source} ${destination}`);
  expect(blocks([ipsec])).toBe(2);
  // Between two that have IPsec all of it is encrypted.
  expect([blocks([ipsec, none]), letThrough([ipsec, none])]).toEqual([2, []]);
  expect([blocks([ipsec, macsec]), letThrough([ipsec, macsec])]).toEqual([
    2,
    ['in 198.51.100.2/32 198.51.100.1/32', 'out 198.51.100.1/32 198.51.100.2/32'],
  ]);
});

test.each([
  [0, ['association-add']],
  [1, ['association-add', 'policy-set', 'association-delete']],
  [2, []],
  [4, ['association-add', 'policy-set', 'association-delete']],
  [5, ['association-delete']],
] as const)(
  'IPsec from step %i to the next: nothing goes before what replaces it',
  (step, plan) => {
    const [from, to] = [stateOf(intentOf([ipsec], step)), stateOf(intentOf([ipsec], step + 1))];
    expect(kinds(to, standing(from))).toEqual(plan);
    expect(kinds(to, standing(to))).toEqual([]);
  },
);

test.each([
  [0, ['receive-add']],
  [1, ['send-add', 'send-use', 'send-delete']],
  [2, []],
  [5, ['receive-delete']],
] as const)('MACsec from step %i to the next: receivers first', (step, plan) => {
  const [from, to] = [stateOf(intentOf([macsec], step)), stateOf(intentOf([macsec], step + 1))];
  expect(kinds(to, standing(from))).toEqual(plan);
  expect(kinds(to, standing(to))).toEqual([]);
});

test('the parent is shut before the device is there, and open again after it is gone', () => {
  const state = stateOf(intentOf([macsec]));
  expect(kinds(state, emptyState).slice(0, 8)).toEqual([
    'link-guard',
    'parent-guard',
    'macsec-add',
    'channel-add',
    'receive-add',
    'send-add',
    'send-use',
    'address-add',
  ]);
  expect(kinds(emptyState, standing(state)).slice(-3)).toEqual([
    'macsec-delete',
    'parent-open',
    'link-guard-delete',
  ]);
});

test('somebody else’s associations stay, and policies that would let VXLAN past ours go', () => {
  const state = stateOf(intentOf([ipsec]));
  const foreign = { source: '192.0.2.1', destination: '192.0.2.9', spi: 5, requestId: 7 };
  const [first] = state.xfrm.policies;
  if (first === undefined) throw new Error('no policy');
  const bypass = { ...first, source: '0.0.0.0/0', priority: 1, level: 'use' } as const;
  const { requestId: _, ...open } = bypass;
  const observed = {
    ...state,
    xfrm: {
      associations: [
        ...state.xfrm.associations,
        { ...foreign, mode: 'tunnel', algorithm: 'cbc(aes)' },
      ],
      policies: [...state.xfrm.policies, open],
    },
  };
  expect(planNode(state, observed)).toEqual([
    {
      kind: 'policy-delete',
      direction: 'in',
      source: '0.0.0.0/0',
      destination: '192.0.2.1/32',
      port: 4789,
    },
  ]);
});

test.each([
  ['module_missing', intentOf([ipsec]), { ipsec: false }],
  ['module_missing', intentOf([macsec]), { macsec: 'none' }],
  ['keys_missing', withoutKeys(intentOf([ipsec])), {}],
  ['link_missing', withoutLinks(intentOf([macsec])), {}],
] as const)(
  '%s: nothing of the segment is there, in the clear least of all',
  (code, intent, change) => {
    const compiled = compileNode(intent, {
      node: 'n1',
      capabilities: { ...capabilities, ...change },
    });
    expect(compiled.refused.map((refusal) => refusal.code)).toEqual([code]);
    expect(planNode(wholeState(compiled), emptyState)).toEqual([]);
  },
);

test('a peer without a key is reached by nothing', () => {
  const strangers = nodes.map(({ agreementKey, ...node }) =>
    node.name === 'n2' ? node : { ...node, ...(agreementKey !== undefined && { agreementKey }) },
  );
  const { xfrm } = stateOf({ ...intentOf([ipsec]), nodes: strangers });
  expect(xfrm.associations).toEqual([]);
  expect(xfrm.policies.filter(({ level }) => level === 'required')).toHaveLength(2);
});

test('numbers of keys differ by ends, epoch and generation', () => {
  const spis = new Set(
    [1, 2].flatMap((generation) =>
      [0, 1, 2, 3, 4].flatMap((epoch) =>
        [
          ['a', 'b'],
          ['b', 'a'],
        ].map(([from = '', to = '']) => ipsecSpi({ from, to, epoch, generation })),
      ),
    ),
  );
  expect(spis.size).toBe(20);
});
