import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayReach } from '../intent/port-role.ts';
import type { FabricIntent, PortIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { portMac } from '../names/port-mac.ts';
import { arbitraryFabric } from '../testing/arbitrary-fabric.ts';
import {
  arpPayload,
  broadcast,
  discoveryPayload,
  ipv4Payload,
  ipv6Payload,
  makeFrame,
  udpPayload,
} from '../testing/make-frame.ts';
import { switchedFabric } from '../testing/switched-fabric.ts';
import { writeVxlanHeader } from './vxlan-header.ts';

const type = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd, raw: 0x88b5 } as const;

interface End {
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

function endOf({ vni }: SegmentIntent, { index, addresses }: PortIntent): End {
  const [ipv4 = '', ipv6 = ''] = addresses;
  return { mac: portMac(vni, index), ipv4, ipv6 };
}

function udp(from: string, to: string): readonly number[] {
  return ipv4Payload(from, to, { protocol: 17, payload: udpPayload(7, 7) });
}

/** Frames from one port to another, or to all, that policy alone decides about. */
const unicast: Readonly<Record<string, (from: End, to: End) => Uint8Array>> = {
  udp: (from, to) =>
    makeFrame(to.mac, from.mac, { type: type.ipv4, payload: udp(from.ipv4, to.ipv4) }),
  tcp: (from, to) =>
    makeFrame(to.mac, from.mac, {
      type: type.ipv4,
      payload: ipv4Payload(from.ipv4, to.ipv4, { protocol: 6, payload: Array(20).fill(0) }),
    }),
  icmp: (from, to) =>
    makeFrame(to.mac, from.mac, {
      type: type.ipv4,
      payload: ipv4Payload(from.ipv4, to.ipv4, { protocol: 1, payload: [8, 0, 0, 0] }),
    }),
  'unicast arp': (from, to) =>
    makeFrame(to.mac, from.mac, {
      type: type.arp,
      payload: arpPayload(1, { mac: from.mac, address: from.ipv4, target: to.ipv4 }),
    }),
  'arp answer': (from, to) =>
    makeFrame(to.mac, from.mac, {
      type: type.arp,
      payload: arpPayload(2, { mac: from.mac, address: from.ipv4, target: to.ipv4 }),
    }),
  ipv6: (from, to) =>
    makeFrame(to.mac, from.mac, {
      type: type.ipv6,
      payload: ipv6Payload(from.ipv6, to.ipv6, { next: 17, payload: udpPayload(7, 7) }),
    }),
  advertisement: (from, to) =>
    makeFrame(to.mac, from.mac, {
      type: type.ipv6,
      payload: ipv6Payload(from.ipv6, to.ipv6, {
        next: 58,
        payload: discoveryPayload(136, { target: from.ipv6, mac: from.mac }),
      }),
    }),
  raw: (from, to) => makeFrame(to.mac, from.mac, { type: type.raw, payload: Array(46).fill(1) }),
};

const flooded: Readonly<Record<string, (from: End) => Uint8Array>> = {
  broadcast: (from) =>
    makeFrame(broadcast, from.mac, { type: type.ipv4, payload: udp(from.ipv4, '255.255.255.255') }),
  multicast: (from) =>
    makeFrame('01:00:5e:01:02:03', from.mac, {
      type: type.ipv4,
      payload: udp(from.ipv4, '239.1.2.3'),
    }),
  announcement: (from) =>
    makeFrame(broadcast, from.mac, {
      type: type.arp,
      payload: arpPayload(1, { mac: from.mac, address: from.ipv4, target: from.ipv4 }),
    }),
  'raw broadcast': (from) => makeFrame(broadcast, from.mac, { type: type.raw, payload: [1] }),
};

function eachPort(intent: FabricIntent) {
  return intent.segments.flatMap((segment) => segment.ports.map((port) => ({ segment, port })));
}

test.each(Object.entries(unicast))('%s reaches whom the policy lets it reach', (_, make) => {
  fc.assert(
    fc.property(arbitraryFabric, (intent) => {
      const fabric = switchedFabric(intent);
      for (const { segment, port } of eachPort(intent)) {
        for (const other of segment.ports) {
          if (other === port) continue;
          const frame = make(endOf(segment, port), endOf(segment, other));
          const arrived = fabric.send(segment.vni, port, frame);
          const expected = { vni: segment.vni, index: other.index, frame };
          expect(arrived).toEqual(mayReach(port.role, other.role) ? [expected] : []);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test.each(Object.entries(flooded))('%s reaches all whom the policy lets it reach', (_, make) => {
  fc.assert(
    fc.property(arbitraryFabric, (intent) => {
      const fabric = switchedFabric(intent);
      for (const { segment, port } of eachPort(intent)) {
        const frame = make(endOf(segment, port));
        const arrived = fabric.send(segment.vni, port, frame).map(({ vni, index }) => [vni, index]);
        const expected = segment.ports
          .filter((other) => other !== port && mayReach(port.role, other.role))
          .map(({ index }) => [segment.vni, index]);
        expect(arrived.toSorted(byIndex)).toEqual(expected.toSorted(byIndex));
      }
    }),
    { numRuns: 60 },
  );
});

function byIndex([, a = 0]: readonly number[], [, b = 0]: readonly number[]): number {
  return a - b;
}

test('questions for a neighbour are answered where it may be reached, and go to nobody', () => {
  fc.assert(
    fc.property(arbitraryFabric, fc.boolean(), (intent, six) => {
      const fabric = switchedFabric(intent);
      for (const { segment, port } of eachPort(intent)) {
        const from = endOf(segment, port);
        for (const other of segment.ports) {
          if (other === port) continue;
          const to = endOf(segment, other);
          const question = six
            ? makeFrame('33:33:ff:00:00:01', from.mac, {
                type: type.ipv6,
                payload: ipv6Payload(from.ipv6, 'ff02::1:ff00:1', {
                  next: 58,
                  payload: discoveryPayload(135, { target: to.ipv6, mac: from.mac }),
                }),
              })
            : makeFrame(broadcast, from.mac, {
                type: type.arp,
                payload: arpPayload(1, { mac: from.mac, address: from.ipv4, target: to.ipv4 }),
              });
          const arrived = fabric.send(segment.vni, port, question);
          const answers = arrived.map(({ index, frame }) => [
            index,
            Array.from(frame.slice(six ? 80 : 22, six ? 86 : 28), (byte) =>
              byte.toString(16).padStart(2, '0'),
            ).join(':'),
          ]);
          expect(answers).toEqual(mayReach(port.role, other.role) ? [[port.index, to.mac]] : []);
        }
      }
    }),
    { numRuns: 60 },
  );
});

const pair: FabricIntent = {
  vxlanPort: 4789,
  nodes: ['n0', 'n1', 'n2'].map((name, number) => ({
    name,
    vtep: `10.99.0.${number + 1}`,
    underlay: `192.0.2.${number + 1}`,
  })),
  segments: [
    {
      name: 's',
      vni: 7000,
      subnet: '10.0.0.0/24',
      mtu: 1450,
      encryption: { underlay: 'none', link: 'none' },
      communities: { a: 16, b: 17 },
      ports: [
        { role: { kind: 'promiscuous' as const }, node: 'n0' },
        { role: { kind: 'isolated' as const }, node: 'n0' },
        { role: { kind: 'community' as const, community: 'a' }, node: 'n1' },
        { role: { kind: 'isolated' as const }, node: 'n1' },
        { role: { kind: 'isolated' as const }, node: 'n2' },
      ].map(({ role, node }, number) => ({
        node,
        index: number + 1,
        incarnation: 1,
        owner: `w${number}`,
        addresses: [`10.0.0.${number + 1}`, `fd00::${number + 1}`],
        role,
        attach: { kind: 'host' as const },
      })),
    },
  ],
};
const [segment] = pair.segments;
if (segment === undefined) throw new Error('no segment');
const [promiscuous, isolated, community] = segment.ports;
if (promiscuous === undefined || isolated === undefined || community === undefined) {
  throw new Error('no ports');
}
const gate = endOf(segment, promiscuous);
const loner = endOf(segment, isolated);
const member = endOf(segment, community);

function discovery(
  from: End,
  content: { source?: string; target: string; mac: string; prefix?: number[] },
) {
  const { source = from.ipv6, target, mac, prefix = [] } = content;
  const payload = [...prefix, ...discoveryPayload(136, { target, mac })];
  const next = prefix.length > 0 ? 0 : 58;
  return makeFrame(gate.mac, from.mac, {
    type: type.ipv6,
    payload: ipv6Payload(source, gate.ipv6, { next, payload }),
  });
}

const fragment = [58, 0, 0, 1, 0, 0, 0, 1];

/** What an isolated port sends to a promiscuous one and must not get through. */
const lies: Readonly<Record<string, Uint8Array>> = {
  'another MAC': makeFrame(gate.mac, member.mac, { type: type.raw, payload: [1] }),
  'a MAC of no port': makeFrame(gate.mac, '02:00:00:00:00:99', { type: type.raw, payload: [1] }),
  'a group as source': makeFrame(gate.mac, broadcast, { type: type.raw, payload: [1] }),
  'another IPv4 address': makeFrame(gate.mac, loner.mac, {
    type: type.ipv4,
    payload: udp(member.ipv4, gate.ipv4),
  }),
  'another IPv6 address': makeFrame(gate.mac, loner.mac, {
    type: type.ipv6,
    payload: ipv6Payload(member.ipv6, gate.ipv6, { next: 17, payload: udpPayload(7, 7) }),
  }),
  'another sender in ARP': makeFrame(gate.mac, loner.mac, {
    type: type.arp,
    payload: arpPayload(2, { mac: loner.mac, address: member.ipv4, target: gate.ipv4 }),
  }),
  'another MAC in ARP': makeFrame(gate.mac, loner.mac, {
    type: type.arp,
    payload: arpPayload(2, { mac: member.mac, address: loner.ipv4, target: gate.ipv4 }),
  }),
  'an advertisement for another': discovery(loner, { target: member.ipv6, mac: loner.mac }),
  'an advertisement of another MAC': discovery(loner, { target: loner.ipv6, mac: member.mac }),
  'an advertisement behind options': discovery(loner, {
    target: member.ipv6,
    mac: loner.mac,
    prefix: [58, 0, 1, 4, 0, 0, 0, 0],
  }),
  'an advertisement in fragments': makeFrame(gate.mac, loner.mac, {
    type: type.ipv6,
    payload: ipv6Payload(loner.ipv6, gate.ipv6, {
      next: 44,
      payload: [...fragment, ...discoveryPayload(136, { target: loner.ipv6, mac: loner.mac })],
    }),
  }),
  'a router advertisement': makeFrame(gate.mac, loner.mac, {
    type: type.ipv6,
    payload: ipv6Payload(loner.ipv6, gate.ipv6, { next: 58, payload: [134, ...Array(15).fill(0)] }),
  }),
  'an answer of a DHCP server': makeFrame(gate.mac, loner.mac, {
    type: type.ipv4,
    payload: ipv4Payload(loner.ipv4, gate.ipv4, { protocol: 17, payload: udpPayload(67, 68) }),
  }),
  'a VLAN tag': makeFrame(gate.mac, loner.mac, {
    type: 0x8100,
    payload: [0, 0, 8, 0, ...udp(member.ipv4, gate.ipv4)],
  }),
  'a length instead of a type': makeFrame(gate.mac, loner.mac, {
    type: 40,
    payload: Array(40).fill(0),
  }),
  'a bridge protocol unit': makeFrame('01:80:c2:00:00:00', loner.mac, {
    type: type.raw,
    payload: [1],
  }),
  'a MAC that nobody has': makeFrame('02:00:1b:58:00:99', loner.mac, {
    type: type.raw,
    payload: [1],
  }),
  'more than the MTU': makeFrame(gate.mac, loner.mac, {
    type: type.raw,
    payload: Array(1451).fill(1),
  }),
};

test.each(Object.entries(lies))('%s does not get through', (_, frame) => {
  expect(switchedFabric(pair).send(7000, isolated, frame)).toEqual([]);
});

test('what says the same truthfully gets through', () => {
  const fabric = switchedFabric(pair);
  const behindOptions = discovery(loner, {
    target: loner.ipv6,
    mac: loner.mac,
    prefix: [58, 0, 1, 4, 0, 0, 0, 0],
  });
  const full = makeFrame(gate.mac, loner.mac, { type: type.raw, payload: Array(1450).fill(1) });
  for (const frame of [behindOptions, full]) {
    expect(fabric.send(7000, isolated, frame)).toHaveLength(1);
  }
});

function packet(from: End, to: string, group: number, vni = 7000): Uint8Array {
  const frame = makeFrame(to, from.mac, { type: type.raw, payload: [1] });
  const bytes = new Uint8Array(8 + frame.length);
  writeVxlanHeader(bytes, 0, { vni, group });
  bytes.set(frame, 8);
  return bytes;
}

test('a node speaks for its own ports and with their groups only', () => {
  const fabric = switchedFabric(pair);
  expect(fabric.inject('n0', 'n1', packet(member, gate.mac, 16))).toHaveLength(1);
  for (const group of [0, 1, 2, 17]) {
    expect(fabric.inject('n0', 'n1', packet(member, gate.mac, group))).toEqual([]);
    expect(fabric.inject('n0', 'n1', packet(member, loner.mac, group))).toEqual([]);
    expect(fabric.inject('n0', 'n1', packet(member, broadcast, group))).toEqual([]);
  }
  expect(fabric.inject('n0', 'n2', packet(member, gate.mac, 16))).toEqual([]);
  expect(fabric.inject('n0', 'n1', packet(gate, loner.mac, 1))).toEqual([]);
  expect(fabric.inject('n0', 'n1', packet(member, gate.mac, 16, 7001))).toEqual([]);
  const [other] = segment.ports.slice(3);
  if (other === undefined) throw new Error('no port');
  // What comes from a node never goes on to another.
  expect(fabric.inject('n0', 'n1', packet(member, endOf(segment, other).mac, 16))).toEqual([]);
  expect(fabric.switches.get('n0')?.counters.get(7000)?.dropped.foreign).toBeGreaterThan(10);
});

test('hostile bytes from ports and peers reach nobody they may not, and break nothing', () => {
  const fabric = switchedFabric(pair);
  const heads = Object.values(lies).map((frame) => frame.slice(0, 54));
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 140 }),
      fc.option(fc.constantFrom(...heads)),
      fc.boolean(),
      (noise, head, toPeer) => {
        const bytes = Uint8Array.from([...(head ?? []), ...noise]);
        const arrived = toPeer
          ? fabric.inject('n0', 'n1', Uint8Array.from([0x88, 0, 0, 2, 0, 0x1b, 0x58, 0, ...bytes]))
          : fabric.send(7000, isolated, bytes);
        for (const { index } of arrived) expect(index).toBe(1);
      },
    ),
    { numRuns: 3000 },
  );
});
