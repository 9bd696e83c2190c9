import { canonicalJson } from '@tapline/base';
import { macsecName } from '../names/interface-names.ts';
import type { MacsecAssociation, MacsecState, NodeState } from '../state/node-state.ts';
import {
  guardedParent,
  guardedPort,
  isMacsecGuard,
  isSameGuard,
  linkTableName,
} from './macsec-guard.ts';
import type { NftTable } from '../state/nft-ruleset.ts';
import type { MacsecOperation } from './macsec-operation.ts';
import type { EncryptionPlan } from './plan-ipsec.ts';

/**
 * The operations from one state to another: the parent is shut before the device is there, keys to
 * receive with come before those to send with, and what goes, goes last.
 */
export function planMacsec(
  desired: NodeState,
  observed: NodeState,
): EncryptionPlan<MacsecOperation> {
  const want = deviceOf(desired);
  const found = deviceOf(observed);
  const dev = macsecName;
  const isThere = found !== undefined || observed.links.some(({ name }) => name === dev);
  const guards = observed.nft.tables.filter(isMacsecGuard);
  const wanted = desired.nft.tables.find(isMacsecGuard);
  const open = guards
    .filter((table) => table.name !== wanted?.name)
    .map((table): MacsecOperation => ({ kind: 'parent-open', parent: guardedParent(table) }));
  const [link, linkFound] = [linkTableOf(desired), linkTableOf(observed)];
  const unguarded: readonly MacsecOperation[] =
    link === undefined && linkFound !== undefined ? [{ kind: 'link-guard-delete' }] : [];
  if (want === undefined) {
    // Frames stop, and only then is the parent open for others again.
    return { before: [], after: [...(isThere ? [deletion(dev)] : []), ...open, ...unguarded] };
  }
  const { parent, mtu = 0, mac = '' } = want;
  const mtuNow = observed.links.find(({ name }) => name === dev)?.mtu;
  const fits = found !== undefined && shape(found) === shape(want) && mtuNow === mtu;
  // A device that was made anew has no hooks of the table that names it.
  const shut = fits && guards.some((table) => wanted && isSameGuard(wanted, table));
  const keys = keyPlan(want, fits ? found : undefined);
  return {
    before: [
      ...(link === undefined || canonicalJson(link) === canonicalJson(linkFound ?? null)
        ? []
        : [guardInstall(link)]),
      ...(shut ? [] : [{ kind: 'parent-guard', parent } as const]),
      ...(isThere && !fits ? [deletion(dev)] : []),
      ...(fits ? [] : [{ kind: 'macsec-add', dev, parent, mtu, mac } as const]),
      ...keys.before,
    ],
    after: [...keys.after, ...open, ...unguarded],
  };
}

function keyPlan(
  want: MacsecState,
  found: MacsecState | undefined,
): EncryptionPlan<MacsecOperation> {
  const { dev } = want;
  const before: MacsecOperation[] = [];
  const after: MacsecOperation[] = [];
  for (const { mac, associations } of want.receives ?? []) {
    const channel = found?.receives?.find((entry) => entry.mac === mac);
    if (channel === undefined) before.push({ kind: 'channel-add', dev, mac });
    const gone = (associationNumber: number): MacsecOperation => ({
      kind: 'receive-delete',
      dev,
      mac,
      associationNumber,
    });
    const change = difference(associations, channel?.associations ?? []);
    for (const { number, keyId, key } of change.added) {
      if (key === undefined) continue;
      if (change.occupied.has(number)) before.push(gone(number));
      before.push({ kind: 'receive-add', dev, mac, associationNumber: number, keyId, key });
    }
    for (const { number } of change.removed) after.push(gone(number));
  }
  const sends = difference(want.sends ?? [], found?.sends ?? []);
  for (const { number, keyId, key } of sends.added) {
    if (key === undefined) continue;
    if (sends.occupied.has(number)) {
      before.push({ kind: 'send-delete', dev, associationNumber: number });
    }
    before.push({ kind: 'send-add', dev, associationNumber: number, keyId, key });
  }
  if (want.activeTx >= 0 && found?.activeTx !== want.activeTx) {
    before.push({ kind: 'send-use', dev, associationNumber: want.activeTx });
  }
  for (const { number } of sends.removed) {
    after.push({ kind: 'send-delete', dev, associationNumber: number });
  }
  const macs = new Set(want.receives?.map(({ mac }) => mac));
  for (const { mac } of found?.receives ?? []) {
    if (!macs.has(mac)) after.push({ kind: 'channel-delete', dev, mac });
  }
  return { before, after };
}

function identity({ number, keyId, active }: MacsecAssociation): string {
  return `${number} ${keyId} ${active}`;
}

/** `occupied`: numbers that another key has, which has to go before the new one comes. */
function difference(wanted: readonly MacsecAssociation[], found: readonly MacsecAssociation[]) {
  const [before, after] = [new Set(found.map(identity)), new Set(wanted.map(identity))];
  const added = wanted.filter((entry) => !before.has(identity(entry)));
  const others = found.filter((entry) => !after.has(identity(entry)));
  const numbers = new Set(wanted.map(({ number }) => number));
  return {
    added,
    occupied: new Set(others.map(({ number }) => number)),
    removed: others.filter(({ number }) => !numbers.has(number)),
  };
}

function deviceOf({ macsec }: NodeState): MacsecState | undefined {
  return macsec.find(({ dev }) => dev === macsecName);
}

function linkTableOf({ nft }: NodeState): NftTable | undefined {
  return nft.tables.find(({ family, name }) => family === 'inet' && name === linkTableName);
}

function guardInstall({ chains, sets }: NftTable): MacsecOperation {
  const vnis = (sets[0]?.elements ?? []) as readonly number[];
  return { kind: 'link-guard', port: guardedPort(chains), vnis };
}

function deletion(dev: string): MacsecOperation {
  return { kind: 'macsec-delete', dev };
}

/** What cannot be changed in a device that exists. */
function shape({ parent, cipher, encrypt, protect, validate }: MacsecState): string {
  return JSON.stringify([parent, cipher, encrypt, protect, validate]);
}
