import { readFileSync } from 'node:fs';
import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NodeOutputs, observeNode } from './observe-node.ts';
import { filterBatch } from './parse-filters.ts';

// Printed by Debian 12's programs (iproute2 6.1.0, nftables 1.0.6) for the node that
// tests/segments/support/example-node.ts builds.
const recorded = JSON.parse(
  readFileSync(new URL('fixtures/debian-12.json', import.meta.url), 'utf8'),
) as NodeOutputs;
const state = observeNode(recorded);

function link(name: string): unknown {
  return state.links.find((entry) => entry.name === name);
}

describe('a recorded node', () => {
  test('has its links with what segments depend on', () => {
    expect(link('tb4096')).toMatchObject({
      kind: 'bridge',
      up: true,
      bridge: { vlanFiltering: false, mcastSnooping: false },
    });
    expect(link('tv4096')).toMatchObject({
      kind: 'vxlan',
      mtu: 1450,
      master: 'tb4096',
      lower: 'ua',
      vxlan: { vni: 4096, local: '192.0.2.1', port: 4789, learning: false, gbp: true },
      bridgePort: { learning: false, neighSuppress: true, isolated: false },
    });
    expect(link('tp35s.1.1')).toMatchObject({
      kind: 'veth',
      lower: 'w1',
      bridgePort: { isolated: true },
    });
    expect(link('vx1')).toMatchObject({
      vxlan: { external: true, vnifilter: true, port: 4790, gbp: false },
    });
    expect(link('lo')).toMatchObject({ kind: '', up: true, mtu: 65536 });
  });

  test('has the FDB without what devices have by themselves', () => {
    expect(state.fdb).toEqual([
      { dev: 'tv4096', mac: '02:00:10:00:00:03', self: false },
      {
        dev: 'tv4096',
        mac: '02:00:10:00:00:04',
        self: true,
        dst: '192.0.2.3',
        vni: 4097,
        port: 4790,
        via: 'ua',
      },
      { dev: 'tv4096', mac: '02:00:10:00:00:03', self: true, dst: '192.0.2.2' },
      { dev: 'tv4096', mac: '00:00:00:00:00:00', self: true, dst: '192.0.2.2' },
      { dev: 'tp35s.1.1', mac: '02:00:10:00:00:09', self: false, local: true },
      { dev: 'tp35s.1.1', mac: '02:00:10:00:00:01', self: false },
      { dev: 'vx1', mac: '00:00:00:00:00:00', self: true, dst: '192.0.2.2', srcVni: 5000 },
    ]);
    expect(state.neighbours).toEqual([
      { dev: 'tb4096', address: '10.7.0.3', mac: '02:00:10:00:00:03' },
    ]);
    expect(state.vnis).toEqual([
      { dev: 'vx1', first: 5000, last: 5010 },
      { dev: 'vx1', first: 6000, last: 6000 },
    ]);
  });

  test('has its filters, and those that are none of ours apart', () => {
    expect(state.egress).toEqual([
      {
        dev: 'tp35s.1.1',
        preference: 1,
        program: [
          { code: 32, jt: 0, jf: 0, k: 4294963220 },
          { code: 21, jt: 0, jf: 1, k: 1 },
          { code: 6, jt: 0, jf: 0, k: 0 },
          { code: 6, jt: 0, jf: 0, k: 2 },
        ],
      },
    ]);
    expect(state.foreignFilters).toEqual([
      { dev: 'w1', direction: 'egress', kind: 'bpf', preference: 5 },
      { dev: 'w1', direction: 'ingress', kind: 'bpf', preference: 7 },
    ]);
  });

  test('has tables, chains and rules in their order', () => {
    expect(
      state.nft.tables.map((table) => [
        table.family,
        table.name,
        table.chains.map((chain) => `${chain.name} ${chain.rules.length}`),
      ]),
    ).toEqual([
      ['bridge', 'tapline', ['p1 6', 'arriving 2', 'passing 2']],
      ['inet', 'tapline-underlay', ['arriving 2']],
      ['netdev', 'foreign', ['early 1']],
    ]);
    const [bridge, , netdev] = state.nft.tables;
    expect(bridge?.chains.map((chain) => chain.base)).toEqual([
      undefined,
      { type: 'filter', hook: 'prerouting', priority: -300, policy: 'accept' },
      { type: 'filter', hook: 'forward', priority: 0, policy: 'drop' },
    ]);
    expect(bridge?.sets.map((set) => [set.name, set.kind, set.type, set.valueType])).toEqual([
      ['verdicts', 'map', ['ifname'], 'verdict'],
      ['marks', 'map', ['ifname'], 'mark'],
      ['allowed', 'set', ['ifname', 'mark'], undefined],
    ]);
    expect(netdev?.chains[0]?.base?.hook).toBe('ingress');
  });

  test('has policies of IPsec with what makes them weaker', () => {
    expect(state.xfrm.policies).toEqual([
      {
        direction: 'in',
        priority: 0,
        source: '0.0.0.0/0',
        destination: '192.0.2.1/32',
        action: 'block',
        level: 'use',
        conditional: true,
      },
      {
        direction: 'in',
        priority: 0,
        source: '192.0.2.2/32',
        destination: '192.0.2.1/32',
        protocol: 'udp',
        destinationPort: 4789,
        action: 'allow',
        level: 'use',
        requestId: 1,
      },
      {
        direction: 'out',
        priority: 10,
        source: '192.0.2.1/32',
        destination: '192.0.2.2/32',
        protocol: 'udp',
        destinationPort: 4789,
        action: 'allow',
        level: 'required',
        requestId: 1,
      },
    ]);
  });
});

test('what this machine cannot record: associations, WireGuard, MACsec, VLAN tunnels', () => {
  const observed = observeNode({
    ...recorded,
    xfrmStates: `src 192.0.2.1 dst 192.0.2.2
\tproto esp spi 0x00001001 reqid 1 mode transport
\treplay-window 0 flag esn
\taead rfc4106(gcm(aes)) <<Keys hidden>> 128
\tanti-replay esn context:
\t seq-hi 0x0, seq 0x0, oseq-hi 0x0, oseq 0x0
`,
    wireguard: [
      'tw0\tPRIVATE\tPUB\t51820\toff',
      'tw0\tPEER\tSHARED\t192.0.2.2:51820\t10.99.0.2/32,fd00::2/128\t1700000000\t1\t2\t25',
      'tw0\tNEW\t(none)\t(none)\t(none)\t0\t0\t0\toff',
    ].join('\n'),
    macsec: JSON.stringify([
      {
        ifindex: 9,
        ifname: 'macsec0',
        protect: true,
        validate: 'strict',
        encrypt: true,
        cipher_suite: 'GCM-AES-128',
        icv_length: 16,
        sci: '0x1',
        encoding_sa: 1,
        sa_list: [
          { an: 0, pn: 1, active: true, key: '00' },
          { an: 1, pn: 1, active: false, key: '01' },
        ],
      },
    ]),
    vlans: JSON.stringify([
      { ifname: 'vx0', tunnels: [{ vlan: 10, vlanEnd: 12, tunid: 100010, tunidEnd: 100012 }] },
    ]),
  });
  expect(observed.xfrm.associations).toEqual([
    {
      source: '192.0.2.1',
      destination: '192.0.2.2',
      spi: 4097,
      requestId: 1,
      mode: 'transport',
      algorithm: 'rfc4106(gcm(aes))',
    },
  ]);
  expect(observed.wireguard).toEqual([
    {
      dev: 'tw0',
      publicKey: 'PUB',
      listenPort: 51820,
      peers: [
        {
          publicKey: 'PEER',
          endpoint: '192.0.2.2:51820',
          allowedIps: ['10.99.0.2/32', 'fd00::2/128'],
          latestHandshake: 1700000000,
        },
        { publicKey: 'NEW', allowedIps: [], latestHandshake: 0 },
      ],
    },
  ]);
  expect(JSON.stringify(observed)).not.toMatch(/PRIVATE|SHARED/);
  expect(observed.macsec).toMatchObject([{ dev: 'macsec0', encrypt: true, activeTx: -1 }]);
  expect(observed.vlans).toEqual([
    { dev: 'vx0', vlan: 10, vni: 100010 },
    { dev: 'vx0', vlan: 11, vni: 100011 },
    { dev: 'vx0', vlan: 12, vni: 100012 },
  ]);
});

test('one call of tc asks for the filters of all devices that can have some', () => {
  const qdiscs = JSON.stringify([
    { kind: 'noqueue', dev: 'lo' },
    { kind: 'noqueue', dev: 'tp1' },
    { kind: 'clsact', dev: 'tp1' },
  ]);
  expect(filterBatch(qdiscs)).toBe('filter show dev tp1 egress\nfilter show dev tp1 ingress\n');
  const torn = recorded.filters.split('\n').slice(1).join('\n');
  expect(() => observeNode({ ...recorded, filters: torn })).toThrow('not two for each');
});

describe('hostile output', () => {
  const keys = Object.keys(recorded) as (keyof NodeOutputs)[];

  test('of any text is a state or observation_invalid', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom('[', ']', '{', '}', '"', '\t', '\n', '\\u0000', '[[[[', '-1', '1e999'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.array(piece), (key, pieces) => {
        expect(outcome({ ...recorded, [key]: pieces.join('') })).toMatch(
          /^(state|observation_invalid)$/,
        );
      }),
    );
  });

  test('made from what is real, with one value changed, is a state or observation_invalid', () => {
    const values = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(-1, 2 ** 53, '', 'x'.repeat(5000), { toString: 1 }, [[]], null),
    );
    const json = keys.filter((key) => /^[[{]/.test(recorded[key]) && key !== 'filters');
    fc.assert(
      fc.property(fc.constantFrom(...json), fc.nat(), values, (key, place, value) => {
        const document = JSON.parse(recorded[key]) as unknown;
        const places = listPlaces(document);
        const target = places[place % places.length];
        if (target !== undefined) target.holder[target.key] = value;
        expect(outcome({ ...recorded, [key]: JSON.stringify(document) })).toMatch(
          /^(state|observation_invalid)$/,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('of lines that are cut or joined anywhere is a state or observation_invalid', () => {
    const lines = ['filters', 'xfrmPolicies'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...lines), fc.nat(), fc.nat({ max: 40 }), (key, at, length) => {
        const output = recorded[key];
        const from = at % (output.length + 1);
        expect(
          outcome({ ...recorded, [key]: output.slice(0, from) + output.slice(from + length) }),
        ).toMatch(/^(state|observation_invalid)$/);
      }),
    );
  });

  test('that nests without end is refused', () => {
    const deep = '['.repeat(200) + ']'.repeat(200);
    const rule = `{"rule":{"family":"bridge","table":"t","chain":"c","expr":${deep}}}`;
    const nft = `{"nftables":[{"table":{"family":"bridge","name":"t"}},{"chain":{"family":"bridge","table":"t","name":"c"}},${rule}]}`;
    expect(() => observeNode({ ...recorded, nft })).toThrow('nest deeper');
  });
});

function outcome(outputs: NodeOutputs): string {
  try {
    observeNode(outputs);
    return 'state';
  } catch (error) {
    return isTaplineError(error) ? error.code : String(error);
  }
}

function listPlaces(
  value: unknown,
): readonly { readonly holder: Record<string, unknown>; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...listPlaces(holder[key])]);
}
