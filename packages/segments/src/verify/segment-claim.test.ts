import { expect, test } from 'vitest';
import type { PortIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { indexClaim } from './claim-index.ts';
import { CodeTable } from './code-table.ts';
import { readSegmentClaim, type SegmentClaim } from './segment-claim.ts';

const nodes = ['n1', 'n2'].map((name, at) => ({
  name,
  vtep: `100.64.0.${at + 1}`,
  underlay: `172.16.0.${at + 1}`,
}));

function segment(vni: number, ports: readonly Partial<PortIntent>[]): SegmentIntent {
  return {
    name: `s${vni}`,
    vni,
    subnet: '10.1.0.0/24',
    mtu: 1450,
    encryption: { underlay: 'none', link: 'none' },
    communities: { a: 16 },
    ports: ports.map((port, at) => ({
      node: `n${(at % 2) + 1}`,
      index: at + 1,
      incarnation: 1,
      owner: `w${at}`,
      addresses: [`10.1.0.${at + 1}`],
      role: { kind: 'isolated' },
      attach: { kind: 'host' },
      ...port,
    })),
  };
}

function read(...segments: readonly SegmentIntent[]): readonly SegmentClaim[] {
  const table = new CodeTable();
  const { segments: ports } = indexClaim({ vxlanPort: 4789, nodes, segments });
  const all = new Map(nodes.map((node) => [node.name, node]));
  return segments.map((one) => {
    return readSegmentClaim(one, ports.get(one.vni) ?? [], { nodes: all, table });
  });
}

test('segments that differ in names only have one shape, and the same number for each', () => {
  const [a, b] = read(
    segment(7000, [{}, {}]),
    segment(7001, [{ addresses: ['10.9.9.9'] }, { index: 9 }]),
  );
  expect(b?.shape).toBe(a?.shape);
  expect(a?.symbolOf('10.1.0.1')).toBe(b?.symbolOf('10.9.9.9'));
  expect(a?.symbolOf('02:00:1b:58:00:02')).toBe(b?.symbolOf('02:00:1b:59:00:09'));
  expect(a?.symbolOf('fe80::1bff:fe58:2')).toBe(b?.symbolOf('fe80::1bff:fe59:9'));
});

test('every name has the number at which it stands, and no other text has one', () => {
  const [claim] = read(segment(7000, [{ addresses: ['10.1.0.1', 'fd00::1'] }, {}]));
  for (const [at, name] of (claim?.names ?? []).entries()) expect(claim?.symbolOf(name)).toBe(at);
  expect(claim?.names).toContain('0xfd000000000000000000000000000001');
  for (const text of ['0.0.0.0', '::', '02:00:1b:58:00:03', 'fe80::1', '10.1.0.3', '']) {
    expect(claim?.symbolOf(text)).toBeUndefined();
  }
});

test.each<[string, readonly Partial<PortIntent>[], readonly Partial<PortIntent>[]]>([
  ['an address that two ports have', [{}, {}], [{}, { addresses: ['10.1.0.1'] }]],
  ['an index that two ports have', [{}, {}], [{ index: 2 }, {}]],
  ['an address that is the node’s', [{}, {}], [{ addresses: ['100.64.0.1'] }, {}]],
  [
    "another port's link-local address",
    [{ addresses: ['fd00::1'] }, {}],
    [{ addresses: ['fe80::1bff:fe59:2'] }, {}],
  ],
  [
    'IPv4 and IPv6 the other way round',
    [{ addresses: ['10.1.0.1', 'fd00::1'] }, {}],
    [{ addresses: ['fd00::1', '10.1.0.1'] }, {}],
  ],
  ['another role', [{}, {}], [{ role: { kind: 'community', community: 'a' } }, {}]],
  ['another node', [{}, {}], [{}, { node: 'n1' }]],
])('another shape: %s', (_, left, right) => {
  const [a, b] = read(segment(7000, left), segment(7001, right));
  expect(b?.shape).not.toBe(a?.shape);
  for (const [at, name] of (b?.names ?? []).entries()) expect(b?.symbolOf(name)).toBe(at);
});
