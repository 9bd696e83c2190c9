import { canonicalJson, isRecord } from '@tapline/base';
import { baseChain, field, is, meta, not, rule } from '../compile/nft-statement.ts';
import { macsecName } from '../names/interface-names.ts';
import type { NftChain, NftTable } from '../state/nft-ruleset.ts';

const prefix = 'tapline_link_';

/** IEEE Std 802.1AE and 802.1X: 0x88E5 and EAPOL (0x888E) are all that a protected link carries. */
const allowed = [0x888e, 0x88e5];

function chain(name: string, hook: string): NftChain {
  return {
    name,
    base: { type: 'filter', hook, priority: -500, policy: 'drop' },
    rules: [rule(is(field('ether', 'type'), { set: allowed }), { accept: null })],
  };
}

/** Both ways; in the form in which nft lists it, some versions of which leave out the device. */
export function macsecGuard(parent: string): NftTable {
  return {
    family: 'netdev',
    name: tableName(parent),
    chains: [chain('in', 'ingress'), chain('out', 'egress')],
    sets: [],
  };
}

export const linkTableName = 'tapline_macsec';

/** RFC 7348 §5: 12 bytes after the start of UDP. */
const vni = { payload: { base: 'th', offset: 96, len: 24 } };

/**
 * Drops VXLAN of these VNIs that came, or would leave, by another interface than the encrypted link's:
 * a kernel takes packets for any of its addresses from wherever they come.
 */
export function linkGuard(port: number, vnis: readonly number[]): NftTable {
  const ours = [is(field('udp', 'dport'), port), is(vni, '@vnis')];
  const elsewhere = (key: string) => rule(...ours, not(meta(key), macsecName), { drop: null });
  return {
    family: 'inet',
    name: linkTableName,
    chains: [
      baseChain('input', ['input', -150], [elsewhere('iifname')]),
      baseChain('output', ['output', 0], [elsewhere('oifname')]),
    ],
    sets: [{ name: 'vnis', kind: 'set', type: ['integer'], flags: [], elements: vnis }],
  };
}

export function linkGuardText(port: number, vnis: readonly number[]): string {
  const match = `udp dport ${port} @th,96,24 @vnis`;
  return [
    `table inet ${linkTableName} {}`,
    `delete table inet ${linkTableName}`,
    `table inet ${linkTableName} {`,
    `  set vnis { typeof @th,96,24; elements = { ${vnis.join(', ')} } }`,
    `  chain input { type filter hook input priority -150; ${match} iifname != "${macsecName}" drop; }`,
    `  chain output { type filter hook output priority 0; ${match} oifname != "${macsecName}" drop; }`,
    '}',
  ].join('\n');
}

export function isMacsecGuard({ family, name }: NftTable): boolean {
  return family === 'netdev' && name.startsWith(prefix);
}

/** Whether a table that was found is the guard of that very parent. */
export function isSameGuard(wanted: NftTable, found: NftTable): boolean {
  const chains = found.chains.map(({ base, ...rest }) => {
    if (base === undefined) return rest;
    const { devices: _, ...hook } = base;
    return { ...rest, base: hook };
  });
  return canonicalJson(wanted) === canonicalJson({ ...found, chains });
}

/** As far as its name tells; enough to delete the guard. */
export function guardedParent({ name }: NftTable): string {
  return name.slice(prefix.length);
}

export function macsecGuardText(parent: string): string {
  const table = `netdev ${tableName(parent)}`;
  const accept = 'ether type { 0x888e, 0x88e5 } accept';
  return [
    `table ${table} {}`,
    `delete table ${table}`,
    `table ${table} {`,
    `  chain in { type filter hook ingress device "${parent}" priority -500; policy drop; ${accept}; }`,
    `  chain out { type filter hook egress device "${parent}" priority -500; policy drop; ${accept}; }`,
    '}',
  ].join('\n');
}

export function macsecUnguardText(parent: string): string {
  return `delete table netdev ${tableName(parent)}`;
}

function tableName(parent: string): string {
  return `${prefix}${parent.replaceAll(/\W/g, '_')}`;
}

/** The VXLAN port that a guard of the link was made for. */
export function guardedPort(chains: readonly NftChain[]): number {
  const first = chains[0]?.rules[0]?.statements[0];
  const match = isRecord(first) ? first['match'] : undefined;
  const port = isRecord(match) ? match['right'] : undefined;
  return typeof port === 'number' ? port : 0;
}
