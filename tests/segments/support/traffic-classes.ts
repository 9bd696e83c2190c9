import type { PortIntent } from '@tapline/segments';

/** One end of a port in a test. */
export interface TestEnd {
  readonly intent: PortIntent;
  readonly mac: string;
  readonly ipv4: string;
}

/** What marks our frames, before the numbers of sender and receiver. */
export const magic = 'f00dfeed';

export interface TrafficClass {
  readonly name: string;
  /** Whether one frame is for all; else there is one for each pair. */
  readonly flooded: boolean;
  /** Whether it says the truth; what does not reaches nobody. */
  readonly honest: boolean;
  /** In hexadecimal. `liar` is a third port, whose names a liar uses. */
  frame(
    from: TestEnd,
    to: TestEnd,
    context: { readonly mark: string; readonly liar: TestEnd },
  ): string;
}

const hexMac = (mac: string): string => mac.replaceAll(':', '');
const hexIp = (address: string): string =>
  address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('');

function ip(
  from: string,
  to: string,
  content: { readonly protocol: number; readonly data: string },
): string {
  const { protocol, data } = content;
  const length = hex16(20 + data.length / 2);
  const head = `4500${length}0000000040${protocol.toString(16).padStart(2, '0')}`;
  const addresses = `${hexIp(from)}${hexIp(to)}`;
  // A bridge with br_netfilter drops what has a wrong one.
  return `${head}${hex16(checksum(head + addresses))}${addresses}${data}`;
}

function hex16(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function checksum(words: string): number {
  let sum = 0;
  for (const word of words.match(/..../g) ?? []) sum += Number.parseInt(word, 16);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

// With a wrong checksum: a kernel that took it would answer that nobody listens, and quote it.
const udpHead = '000700070010dead';
const tcpHead = `00070007${'0'.repeat(16)}50020000${'0'.repeat(8)}`;
const icmpHead = '08000000';
const ether = (to: string, from: string, rest: string): string =>
  `${hexMac(to)}${hexMac(from)}${rest}`;
const all = 'ff:ff:ff:ff:ff:ff';

function unicast(name: string, protocol: number, head: string): TrafficClass {
  return {
    name,
    flooded: false,
    honest: true,
    frame: (from, to, { mark }) =>
      ether(to.mac, from.mac, `0800${ip(from.ipv4, to.ipv4, { protocol, data: head + mark })}`),
  };
}

export const trafficClasses: readonly TrafficClass[] = [
  unicast('ICMP', 1, icmpHead),
  unicast('UDP', 17, udpHead),
  unicast('TCP', 6, tcpHead),
  {
    name: 'raw frames',
    flooded: false,
    honest: true,
    frame: (from, to, { mark }) => ether(to.mac, from.mac, `88b5${mark}${'00'.repeat(46)}`),
  },
  {
    name: 'broadcast',
    flooded: true,
    honest: true,
    frame: (from, _, { mark }) =>
      ether(
        all,
        from.mac,
        `0800${ip(from.ipv4, '255.255.255.255', { protocol: 17, data: udpHead + mark })}`,
      ),
  },
  {
    name: 'multicast',
    flooded: true,
    honest: true,
    frame: (from, _, { mark }) =>
      ether(
        '01:00:5e:01:02:03',
        from.mac,
        `0800${ip(from.ipv4, '239.1.2.3', { protocol: 17, data: udpHead + mark })}`,
      ),
  },
  {
    name: 'spoofed MAC',
    flooded: false,
    honest: false,
    frame: (_, to, { mark, liar }) => ether(to.mac, liar.mac, `88b5${mark}${'00'.repeat(46)}`),
  },
  {
    name: 'spoofed IPv4 address',
    flooded: false,
    honest: false,
    frame: (from, to, { mark, liar }) =>
      ether(
        to.mac,
        from.mac,
        `0800${ip(liar.ipv4, to.ipv4, { protocol: 17, data: udpHead + mark })}`,
      ),
  },
  {
    name: 'spoofed ARP answer',
    flooded: false,
    honest: false,
    frame: (from, to, { mark, liar }) =>
      ether(
        to.mac,
        from.mac,
        `08060001080006040002${hexMac(from.mac)}${hexIp(liar.ipv4)}${hexMac(to.mac)}${hexIp(to.ipv4)}${mark}`,
      ),
  },
];

/** An ARP request for the other's address. */
export function arpRequest(from: TestEnd, to: TestEnd): string {
  return ether(
    all,
    from.mac,
    `08060001080006040001${hexMac(from.mac)}${hexIp(from.ipv4)}${'00'.repeat(6)}${hexIp(to.ipv4)}`,
  );
}

/** Who answers, in an ARP answer; else undefined. */
export function arpAnswer(
  frame: Buffer,
): { readonly mac: string; readonly ipv4: string } | undefined {
  if (frame.length < 42 || frame.toString('hex', 12, 22) !== '08060001080006040002')
    return undefined;
  const mac = frame.toString('hex', 22, 28).match(/../g)?.join(':') ?? '';
  return { mac, ipv4: [...frame.subarray(28, 32)].join('.') };
}
