import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts';
import { targetText } from '../address/target-text.ts';
import type { ClaimedPort } from './claim-index.ts';
import type { Field } from './frame.ts';

/** RFC 4861 §4.3: the target of a neighbour solicitation, as rules name it. */
const discoveryTarget = '@th,64,128';

/** One kind of frame that a port sends when it says who it is and nothing else. */
export interface TruthfulFrame {
  /** What a message calls them. */
  readonly what: string;
  readonly fields: Field | undefined;
  readonly toAll: boolean;
  /** The field that names whom it asks for, and what it is for another port; none where it asks nobody. */
  readonly asks?: { readonly field: string; readonly of: (port: ClaimedPort) => readonly string[] };
}

/** What a port sends to resolve addresses and to talk: to all, and to one by each address it has. */
export function truthfulFrames({ mac, intent }: ClaimedPort): readonly TruthfulFrame[] {
  const ether = known(undefined, ['ether saddr', mac]);
  const own = intent.addresses.map((text) => parseIpAddress(text));
  return [
    { what: 'broadcasts', fields: known(ether, ['protocol', 'other']), toAll: true },
    ...own.flatMap((address): readonly TruthfulFrame[] => {
      const text = formatIpAddress(address);
      return address.family === 4 ? frames4(ether, mac, text) : frames6(ether, text);
    }),
  ];
}

function frames4(ether: Field | undefined, mac: string, ip: string): readonly TruthfulFrame[] {
  const arp = known(
    ether,
    ['protocol', 'arp'],
    ['arp saddr ether', mac],
    ['arp saddr ip', ip],
    ['arp operation', 'request'],
  );
  return [
    {
      what: `IPv4 from ${ip}`,
      fields: known(ether, ['protocol', 'ip'], ['ip saddr', ip]),
      toAll: false,
    },
    {
      what: `ARP requests from ${ip}`,
      fields: arp,
      toAll: true,
      asks: { field: 'arp daddr ip', of: (port) => addressesOf(port, 4) },
    },
  ];
}

function frames6(ether: Field | undefined, ip: string): readonly TruthfulFrame[] {
  const ip6 = known(ether, ['protocol', 'ip6'], ['ip6 saddr', ip]);
  return [
    { what: `IPv6 from ${ip}`, fields: ip6, toAll: false },
    {
      what: `neighbour solicitations from ${ip}`,
      fields: known(ip6, ['l4proto', 'ipv6-icmp'], ['icmpv6 type', 'nd-neighbor-solicit']),
      toAll: true,
      asks: { field: discoveryTarget, of: (port) => addressesOf(port, 6).map(targetText) },
    },
  ];
}

function addressesOf({ intent }: ClaimedPort, family: 4 | 6): readonly string[] {
  return intent.addresses
    .map((text) => parseIpAddress(text))
    .filter((address) => address.family === family)
    .map(formatIpAddress);
}

function known(
  fields: Field | undefined,
  ...values: readonly (readonly [string, string])[]
): Field | undefined {
  let result = fields;
  for (const [key, value] of values) {
    result = { key, values: [value], without: false, next: result };
  }
  return result;
}
