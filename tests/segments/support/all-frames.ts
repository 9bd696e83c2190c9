import {
  arpRequest,
  behindSnap,
  behindTags,
  broadcastMac,
  overIpv4,
  raw,
  type Station,
  solicitation,
  udp6,
} from './frames.ts';
import type { SentFrame } from './frame-peer.ts';
import type { Workload } from './start-fabrics.ts';

/** One frame of the matrix: who sends it, and whose cell it is. */
export interface Probe extends SentFrame {
  readonly id: number;
  readonly kind: string;
  readonly from: string;
  /** Absent for what goes to everybody. */
  readonly to?: string;
}

type Build = (from: Workload, to: Workload, id: number) => Buffer;

const unicast: Readonly<Record<string, Build>> = {
  arp: arpRequest,
  icmp: (from, to, id) => overIpv4(from, to, { protocol: 1, id }),
  udp: (from, to, id) => overIpv4(from, to, { protocol: 17, id }),
  tcp: (from, to, id) => overIpv4(from, to, { protocol: 6, id }),
  'ipv6 udp': udp6,
  'ipv6 nd': solicitation,
  'odd ethertype': (from, to, id) => raw(from.mac, to.mac, id),
};

const everyone: Readonly<Record<string, (from: Station, id: number) => Buffer>> = {
  broadcast: (from, id) => raw(from.mac, broadcastMac, id),
  'ip broadcast': (from, id) =>
    overIpv4(from, { mac: broadcastMac, ip: '255.255.255.255' }, { protocol: 17, id }),
  'ip multicast': (from, id) =>
    overIpv4(from, { mac: '01:00:5e:01:02:03', ip: '239.1.2.3' }, { protocol: 17, id }),
  'ipv6 multicast': (from, id) => udp6(from, { mac: '33:33:00:00:00:01', ip6: 'ff02::1' }, id),
};

/** Every kind of frame from every workload to every other; numbers go up from a first one. */
export function matrixProbes(all: readonly Workload[], firstId = 0): readonly Probe[] {
  let id = firstId;
  const probes: Probe[] = [];
  for (const from of all) {
    for (const [kind, build] of Object.entries(unicast)) {
      for (const to of all) {
        if (from === to) continue;
        id += 1;
        probes.push({ id, kind, from: from.name, to: to.name, frame: build(from, to, id) });
      }
    }
    for (const [kind, build] of Object.entries(everyone)) {
      id += 1;
      probes.push({ id, kind, from: from.name, frame: build(from, id) });
    }
  }
  return probes;
}

/** What nobody may get, whatever their roles: from somebody who says it is another. */
export function forgedProbes(all: readonly Workload[], firstId: number): readonly Probe[] {
  let id = firstId;
  const probes: Probe[] = [];
  const promiscuous = all.filter(({ role }) => role.kind === 'promiscuous');
  for (const from of all) {
    for (const other of promiscuous) {
      for (const to of all) {
        if (from === other || from === to || to === other) continue;
        const mine = { ...from, ip: other.ip, ip6: other.ip6 };
        const forged: Readonly<Record<string, (n: number) => Buffer>> = {
          'forged mac': (n) => raw(other.mac, to.mac, n),
          'forged ip': (n) => overIpv4(mine, to, { protocol: 17, id: n }),
          'forged ipv6': (n) => udp6(mine, to, n),
          'forged arp sender': (n) => arpRequest(mine, to, n),
          'forged mac to all': (n) => raw(other.mac, broadcastMac, n),
        };
        for (const [kind, build] of Object.entries(forged)) {
          id += 1;
          probes.push({ id, kind, from: from.name, frame: build(id) });
        }
      }
    }
  }
  return probes;
}

/** Ways to put a frame where rules that look for IP and ARP would not see it. */
const hidings: Readonly<Record<string, (frame: Buffer) => Buffer>> = {
  'a priority tag': (frame) => behindTags(frame, [[0x8100, 0]]),
  'VLAN 5': (frame) => behindTags(frame, [[0x8100, 5]]),
  'service VLAN 0': (frame) => behindTags(frame, [[0x88a8, 0]]),
  'service VLAN 5': (frame) => behindTags(frame, [[0x88a8, 5]]),
  'the oldest tag of tags': (frame) => behindTags(frame, [[0x9100, 5]]),
  'two priority tags': (frame) =>
    behindTags(frame, [
      [0x8100, 0],
      [0x8100, 0],
    ]),
  'two tags': (frame) =>
    behindTags(frame, [
      [0x88a8, 5],
      [0x8100, 5],
    ]),
  snap: behindSnap,
};

/** What nobody may get, although its MAC is right: hidden frames, forged and honest. */
export function hiddenProbes(all: readonly Workload[], firstId: number): readonly Probe[] {
  let id = firstId;
  const probes: Probe[] = [];
  for (const from of all) {
    const other = all.find((one) => one.role.kind === 'promiscuous' && one.node !== from.node);
    for (const to of all) {
      if (from === to || other === undefined) continue;
      const mine = { ...from, ip: other.ip, ip6: other.ip6 };
      const inner: Readonly<Record<string, (n: number) => Buffer>> = {
        'forged ip': (n) => overIpv4(mine, to, { protocol: 17, id: n }),
        'forged arp': (n) => arpRequest(mine, to, n),
        'odd ethertype': (n) => raw(from.mac, to.mac, n),
      };
      for (const [way, hide] of Object.entries(hidings)) {
        for (const [kind, build] of Object.entries(inner)) {
          id += 1;
          const frame = hide(build(id));
          probes.push({ id, kind: `${kind} behind ${way}`, from: from.name, frame });
        }
      }
    }
  }
  return probes;
}
