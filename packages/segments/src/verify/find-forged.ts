import { parseIpAddress, formatIpAddress } from '../address/ip-address.ts';
import { linkLocal } from '../address/link-local.ts';
import { targetText } from '../address/target-text.ts';
import type { ClaimedPort } from './claim-index.ts';
import { canBe, type Frame, isWithin } from './frame.ts';

/** RFC 4861 §4.3, §4.4: the target of neighbour discovery, as the rules name it. */
const target = '@th,64,128';

interface Identity {
  readonly mac: ReadonlySet<string>;
  readonly arp: ReadonlySet<string>;
  readonly ip: ReadonlySet<string>;
  readonly ip6: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;
}

/** What a port may say that it is: its own, and what hosts say that have no address yet. */
function identityOf(port: ClaimedPort): Identity {
  const addresses = port.intent.addresses.map((text) => parseIpAddress(text));
  const v4 = addresses.filter(({ family }) => family === 4).map(formatIpAddress);
  const v6 = [
    ...addresses.filter(({ family }) => family === 6).map(formatIpAddress),
    linkLocal(port.mac),
  ];
  return {
    mac: new Set([port.mac]),
    arp: new Set([...v4, '0.0.0.0']),
    ip: new Set([...v4, '0.0.0.0']),
    ip6: new Set([...v6, '::']),
    targets: new Set(v6.map(targetText)),
  };
}

/** What a port can forge in frames that are let in; undefined where it is nothing. */
export function forgedBy(port: ClaimedPort, frames: readonly Frame[]): string | undefined {
  const own = identityOf(port);
  for (const frame of frames) {
    if (!isWithin(frame, 'ether saddr', own.mac)) return 'the MAC of another port';
    const arp = canBe(frame, 'protocol', 'arp');
    if (arp && !isWithin(frame, 'arp saddr ether', own.mac))
      return "the MAC inside of ARP's sender";
    if (arp && !isWithin(frame, 'arp saddr ip', own.arp)) return "the address of ARP's sender";
    const ip = canBe(frame, 'protocol', 'ip');
    if (ip && !isWithin(frame, 'ip saddr', own.ip)) return 'the IPv4 source of another port';
    const ip6 = canBe(frame, 'protocol', 'ip6');
    if (ip6 && !isWithin(frame, 'ip6 saddr', own.ip6)) return 'the IPv6 source of another port';
    const advert =
      ip6 &&
      canBe(frame, 'l4proto', 'ipv6-icmp') &&
      canBe(frame, 'icmpv6 type', 'nd-neighbor-advert');
    if (advert && !isWithin(frame, target, own.targets)) {
      return 'the target of a neighbour advertisement';
    }
  }
  return undefined;
}
