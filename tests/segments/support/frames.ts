/** Builds frames byte by byte: what a workload that does not keep to anything can send. */
export interface Station {
  readonly mac: string;
  readonly ip: string;
  readonly ip6: string;
}

export const broadcastMac = 'ff:ff:ff:ff:ff:ff';

export function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function ipBytes(ip: string): Buffer {
  return Buffer.from(ip.split('.').map(Number));
}

/** Of the form `fd00:7::1`. */
export function ip6Bytes(ip: string): Buffer {
  const [head = '', tail = ''] = ip.split('::');
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  const bytes = Buffer.alloc(16);
  [...before, ...zeros, ...after].forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}

function groups(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** Twelve bytes by which a receiver knows the frame again. */
function tag(id: number): Buffer {
  const bytes = Buffer.from('TAPLINE!0000');
  bytes.writeUInt32BE(id, 8);
  return bytes;
}

export function ethernet(
  {
    source,
    target,
    type,
  }: { readonly source: string; readonly target: string; readonly type: number },
  payload: Uint8Array,
): Buffer {
  const head = Buffer.concat([
    macBytes(target),
    macBytes(source),
    Buffer.from([type >> 8, type & 0xff]),
  ]);
  return Buffer.concat([head, payload, Buffer.alloc(Math.max(0, 46 - payload.length))]);
}

export function raw(source: string, target: string, id: number): Buffer {
  return ethernet({ source, target, type: 0x88b5 }, tag(id));
}

/** The same frame behind tags: type and VLAN of each, the outermost first. */
export function behindTags(
  frame: Uint8Array,
  tags: readonly (readonly [type: number, vlan: number])[],
): Buffer {
  const words = tags.flatMap(([type, vlan]) => [type >> 8, type & 0xff, vlan >> 8, vlan & 0xff]);
  return Buffer.concat([frame.subarray(0, 12), Buffer.from(words), frame.subarray(12)]);
}

/** The same frame behind a length, LLC and SNAP (RFC 1042) in place of its type. */
export function behindSnap(frame: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from('aaaa03000000', 'hex'), frame.subarray(12)]);
  const length = Buffer.from([rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([frame.subarray(0, 12), length, rest]);
}

export function arpRequest(from: Station, to: Station, id: number): Buffer {
  const payload = Buffer.concat([
    Buffer.from('0001080006040001', 'hex'),
    macBytes(from.mac),
    ipBytes(from.ip),
    Buffer.alloc(6),
    ipBytes(to.ip),
    tag(id),
  ]);
  return ethernet({ source: from.mac, target: broadcastMac, type: 0x0806 }, payload);
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2)
    sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

export function ipv4(
  addresses: { readonly source: string; readonly target: string; readonly protocol: number },
  payload: Uint8Array,
): Buffer {
  const head = Buffer.alloc(20);
  head[0] = 0x45;
  head.writeUInt16BE(20 + payload.length, 2);
  head[8] = 64;
  head[9] = addresses.protocol;
  ipBytes(addresses.source).copy(head, 12);
  ipBytes(addresses.target).copy(head, 16);
  head.writeUInt16BE(checksum(head), 10);
  return Buffer.concat([head, payload]);
}

/** An echo request that is right, so that a kernel answers it. */
export function echoRequest(from: Omit<Station, 'ip6'>, to: Omit<Station, 'ip6'>): Buffer {
  const icmp = Buffer.alloc(16);
  icmp[0] = 8;
  icmp.writeUInt16BE(checksum(icmp), 2);
  const packet = ipv4({ source: from.ip, target: to.ip, protocol: 1 }, icmp);
  return ethernet({ source: from.mac, target: to.mac, type: 0x0800 }, packet);
}

/** Protocol 1, 6 or 17, as far as a bridge looks at it. */
export function overIpv4(
  from: Station,
  to: Pick<Station, 'mac' | 'ip'>,
  options: { readonly protocol: number; readonly id: number; readonly sourcePort?: number },
): Buffer {
  const { protocol, id, sourcePort = 40_000 } = options;
  const head = Buffer.alloc(protocol === 6 ? 20 : 8);
  if (protocol === 1) {
    head[0] = 8;
  } else {
    head.writeUInt16BE(sourcePort, 0);
    head.writeUInt16BE(9, 2);
    if (protocol === 6) head.writeUInt16BE(0x5002, 12);
    else head.writeUInt16BE(20, 4);
  }
  const packet = ipv4({ source: from.ip, target: to.ip, protocol }, Buffer.concat([head, tag(id)]));
  return ethernet({ source: from.mac, target: to.mac, type: 0x0800 }, packet);
}

export function udp6(from: Station, to: Pick<Station, 'mac' | 'ip6'>, id: number): Buffer {
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(40_000, 0);
  udp.writeUInt16BE(9, 2);
  udp.writeUInt16BE(20, 4);
  return overIpv6(from, to, { next: 17, payload: Buffer.concat([udp, tag(id)]) });
}

/** Neighbour solicitation, with the tag as an unknown option behind. */
export function solicitation(from: Station, to: Station, id: number): Buffer {
  const target = ip6Bytes(to.ip6);
  const icmp = Buffer.concat([
    Buffer.from([135, 0, 0, 0, 0, 0, 0, 0]),
    target,
    Buffer.from([0xfd, 2, 0, 0]),
    tag(id),
  ]);
  const last = target.subarray(13);
  const group = `33:33:ff:${[...last].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  return overIpv6(from, { mac: group, ip6: to.ip6 }, { next: 58, payload: icmp });
}

function overIpv6(
  from: Station,
  to: Pick<Station, 'mac' | 'ip6'>,
  { next, payload }: { readonly next: number; readonly payload: Uint8Array },
): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 0x60;
  head.writeUInt16BE(payload.length, 4);
  head[6] = next;
  head[7] = 255;
  const packet = Buffer.concat([head, ip6Bytes(from.ip6), ip6Bytes(to.ip6), payload]);
  return ethernet({ source: from.mac, target: to.mac, type: 0x86dd }, packet);
}

/** RFC 7348 with a group policy id, as the payload of UDP. */
export function vxlan(vni: number, group: number, inner: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 0x88;
  head.writeUInt16BE(group, 2);
  head.writeUIntBE(vni, 4, 3);
  return Buffer.concat([head, inner]);
}

/** UDP without a checksum, which IPv4 lets be. */
export function datagram(sourcePort: number, targetPort: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(sourcePort, 0);
  head.writeUInt16BE(targetPort, 2);
  head.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([head, payload]);
}
