import { baseChain, field, is, meta, rule } from '../compile/nft-statement.ts';
import type { NftTable } from '../state/nft-ruleset.ts';

export const ipsecTableName = 'tapline_ipsec';

/** RFC 7348 §5: 12 bytes after the start of UDP. */
const vni = { payload: { base: 'th', offset: 96, len: 24 } };

function without(what: unknown): readonly unknown[] {
  return [is(what, false), { drop: null }];
}

/**
 * Drops VXLAN of these VNIs that came, or would leave, without IPsec. It asks nothing of policies:
 * packets are looked at as they are, whoever flushed what. In the form in which nft lists it.
 */
export function ipsecGuard(port: number, vnis: readonly number[]): NftTable {
  const ours = [is(field('udp', 'dport'), port), is(vni, '@vnis')];
  return {
    family: 'inet',
    name: ipsecTableName,
    chains: [
      baseChain('input', ['input', -150], [rule(...ours, ...without(meta('ipsec')))]),
      baseChain('output', ['output', 0], [rule(...ours, ...without({ rt: { key: 'ipsec' } }))]),
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
    `  chain output { type filter hook output priority 0; ${match} rt ipsec missing drop; }`,
    '}',
  ].join('\n');
}
