import { canonicalJson } from '@tapline/base';
import { field, is, rule } from '../compile/nft-statement.ts';
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
