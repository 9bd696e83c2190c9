import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  commandBatches,
  compileNode,
  emptyState,
  type FabricIntent,
  nftSets,
  type NodeCapabilities,
  type Operation,
  planNode,
  type PortRole,
  wholeState,
} from '@tapline/segments';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { networkUnavailable } from './support/network-unavailable.ts';
import { type Namespace, openNamespace } from './support/open-namespace.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'nft', 'nsenter']);
const program = fileURLToPath(
  new URL('../../packages/fabric/src/testing/change-elements.ts', import.meta.url),
);
const capabilities: NodeCapabilities = {
  underlayMtu: 1500,
  bridge: true,
  vxlanGbp: true,
  vnifilter: true,
  vlanFiltering: false,
  nftables: true,
  nftablesArp: true,
  clsBpf: true,
  wireguard: 'kernel',
  ipsec: false,
  macsec: 'none',
};
const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
];
const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');

/** Segments in the clear and inside WireGuard, over both families: something in every set. */
const intents = (['192.0.2', '2001:db8:'] as const).map((prefix, number): FabricIntent => ({
  vxlanPort: 4789,
  nodes: ['n1', 'n2'].map((name, index) => ({
    name,
    vtep: `${number === 0 ? '10.99.0.' : 'fd00::'}${index + 1}`,
    underlay: `${prefix}${number === 0 ? '.' : ':'}${index + 1}`,
    wireguardKey: key(index + 1),
  })),
  segments: (['none', 'wireguard'] as const).map((underlay, at) => ({
    name: `s${at}`,
    vni: 0xff0000 + 16 * number + at,
    subnet: `10.${at}.0.0/24`,
    mtu: 1280,
    encryption: { underlay, link: 'none' },
    communities: { a: 16 },
    ports: ['n1', 'n2'].flatMap((node, of) =>
      roles.map((role, index) => ({
        node,
        index: 3 * of + index + 1,
        incarnation: 1,
        owner: `w${index}`,
        addresses: [`10.${at}.0.${3 * of + index + 1}`, `fd01:${at}::${3 * of + index + 1}`],
        role,
        attach: { kind: 'host' as const },
      })),
    ),
  })),
}));

type Elements = Extract<Operation, { readonly kind: 'elements-add' | 'elements-delete' }>;

function adding(intent: FabricIntent): readonly Elements[] {
  const state = wholeState(compileNode(intent, { node: 'n1', capabilities }));
  return planNode(state, emptyState).flatMap((operation) =>
    operation.kind === 'elements-add' ? [operation] : [],
  );
}

function byNft(space: Namespace, operations: readonly Operation[]): void {
  for (const { lines } of commandBatches(operations, { wireguardKeyFile: '' })) {
    space.run('nft -f -', `${lines.join('\n')}\n`);
  }
}

function bySocket(space: Namespace, transactions: readonly (readonly Elements[])[]): unknown {
  const words = [`--net=/run/netns/${space.name}`, process.execPath, program];
  const input = JSON.stringify(transactions);
  const { stdout, stderr } = spawnSync('nsenter', words, { input, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

function listed(space: Namespace): unknown {
  // Handles are numbers in the order of making.
  return JSON.parse(space.run('nft -j -s list ruleset').replaceAll(/"handle": \d+/g, '"handle":0'));
}

describe.skipIf(unavailable !== undefined)(`elements of sets ${unavailable ?? ''}`, () => {
  test('what is changed without nft is what nft would have changed, in every set', () => {
    using own = openNamespace('socket');
    using other = openNamespace('nft');
    const install: Operation = { kind: 'tables-install', vxlanPort: 4789 };
    const all = intents.flatMap(adding);
    const given = nftSets.filter(({ counts }) => counts !== true);
    expect(new Set(all.map(({ set }) => set))).toEqual(new Set(given.map(({ name }) => name)));
    byNft(other, [install, ...all]);
    byNft(own, [install]);
    expect(bySocket(own, [all])).toEqual([{ done: true }]);
    expect(listed(own)).toEqual(listed(other));
    // Some go and come in one transaction; the other half goes.
    const [first = [], second = []] = intents.map(adding);
    const going = (list: readonly Elements[]) =>
      list.map((operation): Elements => ({ ...operation, kind: 'elements-delete' }));
    const later = [[...going(first), ...first], going(second)];
    byNft(other, later.flat());
    expect(bySocket(own, later)).toEqual([{ done: true }, { done: true }]);
    expect(listed(own)).toEqual(listed(other));
  });

  test('a transaction that fails changes nothing, and says which part of it failed', () => {
    using space = openNamespace('failed');
    byNft(space, [{ kind: 'tables-install', vxlanPort: 4789 }]);
    const before = listed(space);
    const change = (kind: Elements['kind'], elements: readonly unknown[]): Elements => ({
      kind,
      set: 'vnis',
      elements,
    });
    const wrong = [change('elements-add', [7000]), change('elements-delete', [7001])];
    expect(bySocket(space, [wrong])).toEqual([
      { done: false, failed: 1, message: 'nf_tables: ENOENT' },
    ]);
    expect(listed(space)).toEqual(before);
    // What is not of its type is nft's to say, and so is very much.
    const many = change(
      'elements-add',
      Array.from({ length: 1000 }, (_, vni) => vni),
    );
    const odd = change('elements-add', ['7000']);
    expect(bySocket(space, [[odd], [many]])).toEqual(['for nft', 'for nft']);
    space.run('nft delete table inet tapline');
    expect(bySocket(space, [[change('elements-add', [1])]])).toEqual([
      { done: false, failed: 0, message: 'nf_tables: ENOENT' },
    ]);
  });
});
