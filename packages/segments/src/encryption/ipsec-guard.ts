import { baseChain, field, is, meta, rule } from '../compile/nft-statement.ts';
import type { NftRule, NftTable } from '../state/nft-ruleset.ts';

export const ipsecTableName = 'tapline_ipsec';

/** RFC 7348 §5: 12 bytes after the start of UDP. */
const vni = { payload: { base: 'th', offset: 96, len: 24 } };

/**
 * Where an ICMP error has the destination port of the UDP packet that it answers: after its own 8 bytes, an
 * IP header without options, and the source port.
 */
const answered = {
  icmp: { payload: { base: 'th', offset: 240, len: 16 } },
  icmpv6: { payload: { base: 'th', offset: 400, len: 16 } },
};

function without(what: unknown): readonly unknown[] {
  return [is(what, false), { drop: null }];
}

/** Says that nobody takes VXLAN here, and quotes the packet. */
function refusal(protocol: 'icmp' | 'icmpv6', port: number): NftRule {
  const type = is(field(protocol, 'type'), 'destination-unreachable');
  return rule(type, is(answered[protocol], port), { drop: null });
}

/**
 * Drops VXLAN of these VNIs that came, or would leave, without IPsec. It asks nothing of policies:
 * packets are looked at as they are, whoever flushed what. Where the module of VXLAN was removed, the
 * kernel would quote in the clear what came encrypted. In the form in which nft lists it.
 */
export function ipsecGuard(port: number, vnis: readonly number[]): NftTable {
  const ours = [is(field('udp', 'dport'), port), is(vni, '@vnis')];
  return {
    family: 'inet',
    name: ipsecTableName,
    chains: [
      baseChain('input', ['input', -150], [rule(...ours, ...without(meta('ipsec')))]),
      baseChain(
        'output',
        ['output', 0],
        [
          rule(...ours, ...without({ rt: { key: 'ipsec' } })),
          refusal('icmp', port),
          refusal('icmpv6', port),
        ],
      ),
    ],
    sets: [{ name: 'vnis', kind: 'set', type: ['integer'], flags: [], elements: vnis }],
  };
}

export function ipsecGuardText(port: number, vnis: readonly number[]): string {
  const match = `udp dport ${port} @th,96,24 @vnis`;
  return [
    `table inet ${ipsecTableName} {}`,
    `delete table inet ${ipsecTableName}`,
    `table inet ${ipsecTableName} {`,
    `  set vnis { typeof @th,96,24; elements = { ${vnis.join(', ')} } }`,
    `  chain input { type filter hook input priority -150; ${match} meta ipsec missing drop; }`,
    '  chain output {',
    '    type filter hook output priority 0',
    `    ${match} rt ipsec missing drop`,
    `    icmp type destination-unreachable @th,240,16 ${port} drop`,
    `    icmpv6 type destination-unreachable @th,400,16 ${port} drop`,
    '  }',
    '}',
  ].join('\n');
}
