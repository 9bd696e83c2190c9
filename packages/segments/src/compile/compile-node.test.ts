import { expect, test } from 'vitest';
import { capable, sampleIntent, sampleSegment } from '../testing/sample-intent.ts';
import { compileNode, wholeState } from './compile-node.ts';
import type { NodeCapabilities } from './node-capabilities.ts';

const intent = sampleIntent([sampleSegment(['n1', 'n2'])]);

function compile(
  segments = intent.segments,
  override: Partial<NodeCapabilities> = {},
): ReturnType<typeof compileNode> {
  const capabilities = { ...capable, ...override };
  return compileNode({ ...intent, segments }, { node: 'n1', capabilities });
}

function codes(...args: Parameters<typeof compile>): readonly string[] {
  return compile(...args).refused.map(({ code }) => code);
}

test('a segment is a bridge, a VXLAN device and a veth for each local port', () => {
  const state = wholeState(compile());
  expect(state.links.map(({ name, kind, master }) => `${kind} ${name} ${master ?? ''}`)).toEqual([
    'bridge tb7000 ',
    'vxlan tv7000 tb7000',
    'veth tp5eg.1.1 tb7000',
    'veth tp5eg.2.1 tb7000',
    'veth tp5eg.3.1 tb7000',
    'veth tp5eg.4.1 tb7000',
  ]);
  expect(state.links.every(({ bridgePort }) => bridgePort?.learning !== true)).toBe(true);
});

test('groups that may reach a port are those that its filter lets out', () => {
  const { egress } = wholeState(compile());
  const marks = egress.map(({ program }) =>
    program.filter(({ code }) => code === 0x15).map(({ k }) => k),
  );
  expect(marks).toEqual([[1, 2, 16, 17], [1, 16], [1, 17], [1]]);
});

test('broadcast goes to nodes with ports, once each', () => {
  const state = wholeState(compile());
  expect(state.fdb.filter(({ mac }) => mac === '00:00:00:00:00:00')).toEqual([
    { dev: 'tv7000', mac: '00:00:00:00:00:00', dst: '192.0.2.2', self: true },
  ]);
});

test('a segment without ports here leaves nothing', () => {
  const other = compile([sampleSegment(['n2'])]);
  expect(wholeState(other).links).toEqual([]);
  expect(wholeState(other).nft.tables).toEqual([]);
});

test('inside WireGuard, the VXLAN device stands on tw0 and comes from the address inside', () => {
  const encrypted = sampleSegment(['n1', 'n2'], {
    encryption: { underlay: 'wireguard', link: 'none' },
  });
  const state = wholeState(compile([encrypted]));
  const vxlan = state.links.find(({ kind }) => kind === 'vxlan');
  expect(vxlan).toMatchObject({ lower: 'tw0', vxlan: { local: '10.99.0.1' } });
  expect(state.wireguard).toMatchObject([
    { dev: 'tw0', peers: [{ endpoint: '192.0.2.2:51840', allowedIps: ['10.99.0.2/32'] }] },
  ]);
  const inet = state.nft.tables.find(({ family }) => family === 'inet');
  const elements = (name: string): unknown => inet?.sets.find((set) => set.name === name)?.elements;
  expect(elements('inside4')).toEqual([{ concat: ['10.99.0.2', 7000] }]);
  expect(elements('outside4')).toEqual([]);
});

test('what a kernel lacks refuses the segment, and is never done without', () => {
  const encrypted = sampleSegment(['n1', 'n2'], {
    encryption: { underlay: 'wireguard', link: 'macsec' },
  });
  const refused = compile([encrypted], { wireguard: 'none', macsec: 'none' });
  expect(refused.refused).toEqual([
    {
      segment: 'news',
      vni: 7000,
      code: 'module_missing',
      message: expect.stringContaining(
        'node n1 cannot carry segment news: its kernel lacks wireguard, macsec',
      ),
    },
  ]);
  expect(wholeState(refused).links).toEqual([]);
  expect(codes(intent.segments, { vxlanGbp: false })).toEqual(['module_missing']);
});

test('bad input is refused by segment, and says the value', () => {
  const refusedWith = (override: Parameters<typeof sampleSegment>[1]): readonly string[] =>
    codes([sampleSegment(['n1', 'n2'], override)]);
  expect(refusedWith({ mtu: 1451 })).toEqual(['mtu_invalid']);
  expect(refusedWith({ mtu: 1279 })).toEqual(['mtu_invalid']);
  expect(refusedWith({ vni: 4095 })).toEqual(['vni_invalid']);
  expect(refusedWith({ subnet: '10.8.0.0/24' })).toEqual(['port_address_invalid']);
  expect(refusedWith({ communities: { a: 16 } })).toEqual(['community_unknown']);
  const keyless = {
    ...intent,
    nodes: intent.nodes.map(({ name, vtep, underlay }) => ({ name, vtep, underlay })),
    segments: [
      sampleSegment(['n1', 'n2'], { encryption: { underlay: 'wireguard', link: 'none' } }),
    ],
  };
  const { refused } = compileNode(keyless, { node: 'n1', capabilities: capable });
  expect(refused.map(({ code }) => code)).toEqual(['wireguard_key_missing']);
  expect(() => compileNode(intent, { node: 'n9', capabilities: capable })).toThrow(
    'node n9 is not among the fabric',
  );
});

test('of two subnets that overlap on a node, the lower VNI stands', () => {
  const late = sampleSegment(['n1', 'n2'], { name: 'late', vni: 8000, subnet: '10.7.0.0/16' });
  const both = compile([late, ...intent.segments]);
  expect(both.refused.map(({ message }) => message)).toEqual([
    expect.stringContaining(
      'subnet 10.7.0.0/16 of segment late overlaps 10.7.0.0/24 of segment news on the same node',
    ),
  ]);
  expect([...both.segments.values()].map((kept) => kept.intent.vni)).toEqual([7000]);
});

test('what is the same object is taken over, and gives the same as from nothing', () => {
  const before = compile([
    ...intent.segments,
    sampleSegment(['n1', 'n3'], { vni: 9000, subnet: '10.0.0.0/8', ports: [] }),
  ]);
  const changed = sampleSegment(['n1', 'n2'], { name: 'other', vni: 8000, subnet: '10.7.0.0/16' });
  const next = { ...before.intent, segments: [...intent.segments, changed] };
  const options = { node: 'n1', capabilities: capable };
  const whole = compileNode(next, options);
  const part = compileNode(next, { ...options, previous: before });
  expect(wholeState(part)).toEqual(wholeState(whole));
  expect(part.refused).toEqual(whole.refused);
  expect(part.segments.get(7000)).toBe(before.segments.get(7000));
});
