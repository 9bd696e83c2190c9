import { promiscuousGroup } from '../names/group-id.ts';
import { read16, read32, standsAt } from './bytes.ts';
import {
  ethernetHeaderBytes,
  etherType,
  firstEtherType,
  icmpv6Type,
  ipProtocol,
  tagTypes,
} from './ethernet.ts';
import type { DropReason } from './switch-counters.ts';
import type { SwitchPort } from './switch-tables.ts';

/** Part of a larger buffer. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Whether the port may say who it says it is: Ethernet, ARP, IP and neighbour discovery name its own
 * MAC and addresses and nothing else. Why not, or undefined where all is right.
 */
export function guardSource(
  bytes: Uint8Array,
  range: ByteRange,
  port: SwitchPort,
): DropReason | undefined {
  const { start, end } = range;
  if (end - start < ethernetHeaderBytes) return 'malformed';
  if (!standsAt(bytes, start + 6, port.mac)) return 'spoofed';
  const type = read16(bytes, start + 12);
  if (type < firstEtherType || tagTypes.has(type)) return 'malformed';
  switch (type) {
    case etherType.ipv4:
      return guardIpv4(bytes, { start: start + ethernetHeaderBytes, end }, port);
    case etherType.ipv6:
      return guardIpv6(bytes, { start: start + ethernetHeaderBytes, end }, port);
    case etherType.arp:
      return guardArp(bytes, { start: start + ethernetHeaderBytes, end }, port);
    default:
      return undefined;
  }
}

/** RFC 826, of Ethernet and IPv4 only. */
function guardArp(bytes: Uint8Array, { start, end }: ByteRange, port: SwitchPort) {
  if (end - start < 28 || read32(bytes, start) !== 0x00010800) return 'malformed';
  const operation = read16(bytes, start + 6);
  if (read16(bytes, start + 4) !== 0x0604 || (operation !== 1 && operation !== 2)) {
    return 'malformed';
  }
  if (!standsAt(bytes, start + 8, port.mac)) return 'spoofed';
  const sender = read32(bytes, start + 14);
  // A probe asks for an address before it has one (RFC 5227).
  if (sender === 0 && operation === 1) return undefined;
  return port.ipv4.includes(sender) ? undefined : 'spoofed';
}

function guardIpv4(bytes: Uint8Array, { start, end }: ByteRange, port: SwitchPort) {
  const headerBytes = ((bytes[start] ?? 0) & 15) * 4;
  if (end - start < 20 || (bytes[start] ?? 0) >> 4 !== 4 || headerBytes < 20) return 'malformed';
  if (end - start < headerBytes) return 'malformed';
  const source = read32(bytes, start + 12);
  const isUdp = bytes[start + 9] === ipProtocol.udp;
  const isFirst = (read16(bytes, start + 6) & 0x1fff) === 0;
  const sourcePort = isUdp && isFirst ? read16(bytes, start + headerBytes) : 0;
  const destinationPort = isUdp && isFirst ? read16(bytes, start + headerBytes + 2) : 0;
  // Who has no address yet asks for one.
  if (source === 0) return sourcePort === 68 && destinationPort === 67 ? undefined : 'spoofed';
  if (!port.ipv4.includes(source)) return 'spoofed';
  // Servers of addresses are promiscuous ports only.
  const serves = sourcePort === 67 && destinationPort === 68;
  return serves && port.group !== promiscuousGroup ? 'spoofed' : undefined;
}

function guardIpv6(bytes: Uint8Array, { start, end }: ByteRange, port: SwitchPort) {
  if (end - start < 40 || (bytes[start] ?? 0) >> 4 !== 6) return 'malformed';
  const unspecified =
    read32(bytes, start + 8) === 0 &&
    read32(bytes, start + 12) === 0 &&
    read32(bytes, start + 16) === 0 &&
    read32(bytes, start + 20) === 0;
  if (!unspecified && !port.ipv6.some((own) => standsAt(bytes, start + 8, own))) return 'spoofed';
  const upper = upperLayer(bytes, { start, end });
  if (upper === undefined) return 'malformed';
  const { protocol, at, fragmented } = upper;
  if (protocol === ipProtocol.icmpv6) {
    const type = bytes[at] ?? 0;
    const isDiscovery = type >= icmpv6Type.routerSolicitation && type <= icmpv6Type.redirect;
    if (isDiscovery) {
      // RFC 6980: discovery in fragments is what firewalls do not see through.
      if (fragmented) return 'malformed';
      return guardDiscovery(bytes, { start: at, end }, { port, unspecified });
    }
    // Multicast listener reports also come from no address (RFC 3590).
    return unspecified && type !== 143 && type !== 131 && type !== 132 ? 'spoofed' : undefined;
  }
  if (unspecified) return 'spoofed';
  const serves =
    protocol === ipProtocol.udp && read16(bytes, at) === 547 && read16(bytes, at + 2) === 546;
  return serves && port.group !== promiscuousGroup ? 'spoofed' : undefined;
}

// RFC 8200 §4: hop-by-hop, routing, destination options. More than a few are an attack.
const optionHeaders: ReadonlySet<number> = new Set([0, 43, 60]);
const fragmentHeader = 44;
const mostHeaders = 8;

/** The protocol above IPv6 and where it begins; undefined where the chain does not end in sight. */
function upperLayer(bytes: Uint8Array, { start, end }: ByteRange) {
  let protocol = bytes[start + 6] ?? 0;
  let at = start + 40;
  let fragmented = false;
  for (let count = 0; count < mostHeaders; count += 1) {
    if (protocol === fragmentHeader) {
      if (end - at < 8) return undefined;
      fragmented = true;
      // What follows a later fragment's header is data, not a header.
      if ((read16(bytes, at + 2) & 0xfff8) !== 0)
        return { protocol: fragmentHeader, at, fragmented };
      protocol = bytes[at] ?? 0;
      at += 8;
    } else if (optionHeaders.has(protocol)) {
      if (end - at < 8) return undefined;
      protocol = bytes[at] ?? 0;
      at += ((bytes[at + 1] ?? 0) + 1) * 8;
    } else {
      // RFC 7112: the chain has to be whole in the first fragment. 4 bytes tell type or ports.
      return protocol === 59 || end - at >= 4 ? { protocol, at, fragmented } : undefined;
    }
  }
  return undefined;
}

/** RFC 4861 §4: link-layer addresses in options, and the target of an advertisement. */
function guardDiscovery(
  bytes: Uint8Array,
  { start, end }: ByteRange,
  who: { readonly port: SwitchPort; readonly unspecified: boolean },
) {
  const { port, unspecified } = who;
  const type = bytes[start] ?? 0;
  const ofRouters = type === icmpv6Type.routerAdvertisement || type === icmpv6Type.redirect;
  if (ofRouters && port.group !== promiscuousGroup) return 'spoofed';
  const isAdvertisement = type === icmpv6Type.neighbourAdvertisement;
  if (unspecified && (ofRouters || isAdvertisement)) return 'spoofed';
  const optionsAt = start + (discoveryBytes[type] ?? 0);
  if (optionsAt > end) return 'malformed';
  if (isAdvertisement && !port.ipv6.some((own) => standsAt(bytes, start + 8, own)))
    return 'spoofed';
  // A redirect names the link-layer address of another, which a router may.
  if (type === icmpv6Type.redirect) return undefined;
  for (let at = optionsAt; at < end;) {
    const optionBytes = (bytes[at + 1] ?? 0) * 8;
    if (optionBytes === 0 || at + optionBytes > end) return 'malformed';
    const kind = bytes[at];
    const namesMac = kind === 1 || kind === 2;
    if (namesMac && !standsAt(bytes, at + 2, port.mac)) return 'spoofed';
    at += optionBytes;
  }
  return undefined;
}

const discoveryBytes: Readonly<Record<number, number>> = {
  [icmpv6Type.routerSolicitation]: 8,
  [icmpv6Type.routerAdvertisement]: 16,
  [icmpv6Type.neighbourSolicitation]: 24,
  [icmpv6Type.neighbourAdvertisement]: 24,
  [icmpv6Type.redirect]: 40,
};
