import { isRecord } from '@tapline/base';

/** What a rule looks at. `opaque` is what the model does not know: it may be anything at any time. */
export type Expression =
  | { readonly kind: 'iif' }
  | { readonly kind: 'oif' }
  | { readonly kind: 'mark'; readonly mask: number | undefined }
  | {
      readonly kind: 'field';
      readonly key: string;
      /** Other fields without which this one does not exist: an ARP sender only in ARP. */
      readonly needs: readonly (readonly [key: string, values: readonly string[]])[];
    }
  | { readonly kind: 'opaque' };

const internet: readonly [string, readonly string[]] = ['protocol', ['ip', 'ip6']];
const layers: Readonly<Record<string, readonly (readonly [string, readonly string[]])[]>> = {
  ether: [],
  arp: [['protocol', ['arp']]],
  ip: [['protocol', ['ip']]],
  ip6: [['protocol', ['ip6']]],
  icmp: [
    ['protocol', ['ip']],
    ['l4proto', ['icmp']],
  ],
  icmpv6: [
    ['protocol', ['ip6']],
    ['l4proto', ['ipv6-icmp']],
  ],
  udp: [internet, ['l4proto', ['udp']]],
  tcp: [internet, ['l4proto', ['tcp']]],
  vlan: [['protocol', ['8021q', '8021ad', 'vlan']]],
};

/** Fields of one packet; other keys of `meta` (time, cpu, cgroup, …) are of the moment. */
const packetKeys: Readonly<Record<string, string>> = {
  protocol: 'protocol',
  l4proto: 'l4proto',
  pkttype: 'pkttype',
  ipsec: 'ipsec',
  secpath: 'ipsec',
};

const opaque: Expression = { kind: 'opaque' };

/** The parts of an expression of libnftables-json(5): several for a concatenation. */
export function readExpressions(value: unknown): readonly Expression[] {
  if (isRecord(value) && Array.isArray(value['concat'])) {
    return value['concat'].map((part: unknown) => readExpression(part));
  }
  return [readExpression(value)];
}

function readExpression(value: unknown): Expression {
  if (!isRecord(value)) return opaque;
  const meta = value['meta'];
  if (isRecord(meta)) return readMeta(String(meta['key']));
  const payload = value['payload'];
  if (isRecord(payload)) return readPayload(payload);
  const masked = value['&'];
  if (Array.isArray(masked) && typeof masked[1] === 'number') {
    const inner = readExpression(masked[0]);
    return inner.kind === 'mark' && inner.mask === undefined
      ? { kind: 'mark', mask: masked[1] }
      : opaque;
  }
  return opaque;
}

function readMeta(key: string): Expression {
  switch (key) {
    case 'iif':
    case 'iifname':
      return { kind: 'iif' };
    case 'oif':
    case 'oifname':
      return { kind: 'oif' };
    case 'mark':
      return { kind: 'mark', mask: undefined };
    default: {
      const field = packetKeys[key];
      return field === undefined ? opaque : { kind: 'field', key: field, needs: [] };
    }
  }
}

function readPayload(payload: Readonly<Record<string, unknown>>): Expression {
  const { protocol, field, base, offset, len } = payload;
  if (typeof base === 'string') {
    return { kind: 'field', key: `@${base},${String(offset)},${String(len)}`, needs: [] };
  }
  if (protocol === 'ether' && field === 'type')
    return { kind: 'field', key: 'protocol', needs: [] };
  const needs = layers[String(protocol)];
  if (needs === undefined) return opaque;
  return { kind: 'field', key: `${String(protocol)} ${String(field)}`, needs };
}
