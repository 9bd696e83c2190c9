import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSubnet } from '../address/subnet.ts';
import type { PortRole } from '../intent/port-role.ts';
import {
  gatewayAddress,
  maxPorts,
  newPortLedger,
  planPorts,
  portCapacity,
  type PortLedger,
  type WantedPort,
} from './port-ledger.ts';

const about = { segment: 'news', subnet: '10.7.0.0/29', firstIncarnation: 1 };
const isolated: PortRole = { kind: 'isolated' };

function port(owner: string, role: PortRole = isolated, node = owner): WantedPort {
  return { owner, node, role };
}

test('ports get the lowest index, and the address that is behind it', () => {
  const ledger = planPorts(
    newPortLedger(1),
    [port('b'), port('a', { kind: 'promiscuous' })],
    about,
  );
  expect(ledger.ports).toEqual([
    { index: 1, incarnation: 1, owner: 'b', node: 'b', kind: 'isolated', address: '10.7.0.2' },
    { index: 2, incarnation: 1, owner: 'a', node: 'a', kind: 'promiscuous', address: '10.7.0.3' },
  ]);
  expect(gatewayAddress(parseSubnet(about.subnet))).toBe('10.7.0.1');
  expect(planPorts(ledger, [port('b'), port('a', { kind: 'promiscuous' })], about)).toBe(ledger);
});

test('a port that changes has another incarnation and the same address', () => {
  const first = planPorts(newPortLedger(1), [port('a')], about);
  const moved = planPorts(first, [port('a', { kind: 'community', community: 'x' })], about);
  expect(moved.ports).toMatchObject([
    { index: 1, incarnation: 2, kind: 'community', community: 'x', address: '10.7.0.2' },
  ]);
  expect(planPorts(moved, [port('a', isolated, 'elsewhere')], about).ports).toMatchObject([
    { index: 1, incarnation: 3, node: 'elsewhere' },
  ]);
});

test('with another prefix each port is another one, at the same place', () => {
  const wanted = [port('a'), port('b')];
  const first = planPorts(newPortLedger(1), [...wanted, port('gone')], about);
  const before = planPorts(first, wanted, about);
  const after = planPorts(before, wanted, { ...about, subnet: '10.9.0.0/29', firstIncarnation: 5 });
  expect(after.ports).toMatchObject([
    { index: 1, incarnation: 5, owner: 'a', address: '10.9.0.2' },
    { index: 2, incarnation: 5, owner: 'b', address: '10.9.0.3' },
    { index: 3, incarnation: 5, owner: 'gone', address: '10.9.0.4', released: 2 },
  ]);
  expect(planPorts(after, wanted, { ...about, subnet: '10.9.0.0/29', firstIncarnation: 5 })).toBe(
    after,
  );
});

test('what was given up first is used again first, when nothing unused is left', () => {
  const all = ['a', 'b', 'c', 'd', 'e'].map((owner) => port(owner));
  let ledger = planPorts(newPortLedger(1), all, about);
  ledger = planPorts(
    ledger,
    all.filter(({ owner }) => owner !== 'd'),
    about,
  );
  ledger = planPorts(
    ledger,
    all.filter(({ owner }) => owner !== 'd' && owner !== 'b'),
    about,
  );
  ledger = planPorts(ledger, [port('a'), port('c'), port('e'), port('f')], about);
  expect(ledger.ports.find(({ owner }) => owner === 'f')).toMatchObject({
    index: 4,
    incarnation: 2,
  });
});

test('ids of communities are never used again', () => {
  const community = (name: string): PortRole => ({ kind: 'community', community: name });
  let ledger = planPorts(
    newPortLedger(1),
    [port('a', community('y')), port('b', community('x'))],
    about,
  );
  expect(ledger.communities).toEqual({ x: 16, y: 17 });
  ledger = planPorts(ledger, [port('a', community('z'))], about);
  expect(ledger.communities).toEqual({ x: 16, y: 17, z: 18 });
});

test.each([
  ['10.0.0.0/30', 1],
  ['10.0.0.0/24', 253],
  ['10.0.0.0/8', maxPorts],
  ['fd00::/126', 2],
  ['fd00::/64', maxPorts],
])('%s has addresses for %d ports', (subnet, ports) => {
  expect(portCapacity(parseSubnet(subnet))).toBe(ports);
});

test('more ports than addresses are refused', () => {
  const many = Array.from({ length: 6 }, (_, at) => port(`p${at}`));
  expect(() => planPorts(newPortLedger(1), many, about)).toThrow(
    expect.objectContaining({
      code: 'ports_exhausted',
      message: 'segment news selects 6 ports, 10.7.0.0/29 has addresses for 5',
    }),
  );
});

test('whatever comes and goes, an index with its incarnation means one thing for ever', () => {
  const role = fc.constantFrom<PortRole>(
    isolated,
    { kind: 'promiscuous' },
    { kind: 'community', community: 'x' },
    { kind: 'community', community: 'y' },
  );
  const wanted = fc.uniqueArray(
    fc.record({
      owner: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      node: fc.constantFrom('n1', 'n2'),
      role,
    }),
    { selector: ({ owner }) => owner, maxLength: 5 },
  );
  fc.assert(
    fc.property(fc.array(wanted, { maxLength: 30 }), (rounds) => {
      let ledger: PortLedger = newPortLedger(1);
      const meaning = new Map<string, string>();
      const ids = new Map<number, string>();
      for (const round of rounds) {
        ledger = planPorts(ledger, round, about);
        const used = ledger.ports.filter(({ released }) => released === undefined);
        expect(used.map(({ owner }) => owner).toSorted()).toEqual(
          round.map(({ owner }) => owner).toSorted(),
        );
        expect(new Set(ledger.ports.map(({ index }) => index)).size).toBe(ledger.ports.length);
        for (const { index, incarnation, owner, node, kind, community, address } of used) {
          const means = [owner, node, kind, community, address].join(' ');
          const known = meaning.get(`${index}.${incarnation}`);
          expect(known ?? means).toBe(means);
          meaning.set(`${index}.${incarnation}`, means);
        }
        for (const [name, id] of Object.entries(ledger.communities)) {
          expect(ids.get(id) ?? name).toBe(name);
          ids.set(id, name);
        }
      }
    }),
  );
});
