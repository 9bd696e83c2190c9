import { canonicalJson } from '@tapline/base';
import type { NodeState, XfrmState } from '../state/node-state.ts';
import type { NftTable } from '../state/nft-ruleset.ts';
import { listDifference } from '../plan/list-difference.ts';
import { ipsecTableName } from './ipsec-guard.ts';
import { isOurRequest } from './ipsec-numbers.ts';
import type { IpsecOperation } from './ipsec-operation.ts';

type Association = XfrmState['associations'][number];
type Policy = XfrmState['policies'][number];

/** What comes before everything else of a node's plan, and what comes after it. */
export interface EncryptionPlan<T> {
  readonly before: readonly T[];
  readonly after: readonly T[];
}

/**
 * The operations from one state to another, in an order in which nothing is open in between: first
 * what drops plaintext, then keys to receive and to send with, then policies; what goes, goes last.
 */
export function planIpsec(desired: NodeState, observed: NodeState): EncryptionPlan<IpsecOperation> {
  const wanted = guardOf(desired);
  const found = guardOf(observed);
  const isSame =
    wanted !== undefined && found !== undefined && canonicalJson(wanted) === canonicalJson(found);
  const port = portOf(desired) ?? portOf(observed);
  const ours = observed.xfrm.associations.filter(({ requestId }) => isOurRequest(requestId));
  const associations = listDifference(desired.xfrm.associations, ours, associationKey);
  const here = observed.xfrm.policies.filter((policy) => isOurs(policy, port));
  const policies = listDifference(desired.xfrm.policies.filter(isSettable), here, canonicalJson);
  const replaced = new Set(policies.added.map(policyPlace));
  const spis = new Set(associations.added.map(spiKey));
  // The same number for another key: it has to go first.
  const [inTheWay, gone] = partition(associations.removed, (entry) => spis.has(spiKey(entry)));
  return {
    before: [
      ...(wanted === undefined || isSame ? [] : [installOf(wanted, port)]),
      ...inTheWay.map(associationDeletion),
      ...associations.added.flatMap(addition),
      ...policies.added.map(policySetting),
    ],
    after: [
      ...policies.removed.filter((policy) => !replaced.has(policyPlace(policy))).map(removal),
      ...gone.map(associationDeletion),
      ...(wanted === undefined && found !== undefined ? [{ kind: 'guard-delete' } as const] : []),
    ],
  };
}

function guardOf({ nft }: NodeState): NftTable | undefined {
  return nft.tables.find(({ family, name }) => family === 'inet' && name === ipsecTableName);
}

function installOf({ sets }: NftTable, port = 0): IpsecOperation {
  return { kind: 'guard-install', port, vnis: (sets[0]?.elements ?? []) as readonly number[] };
}

/** Of VXLAN: policies of ours name it, and so do associations. */
function portOf({ xfrm }: NodeState): number | undefined {
  return xfrm.policies.find(({ requestId }) => isOurRequest(requestId))?.destinationPort;
}

/** All that could decide about VXLAN packets before ours do; what has other conditions cannot be named. */
function isOurs(policy: Policy, port: number | undefined): boolean {
  if (!isSettable(policy)) return false;
  return isOurRequest(policy.requestId) || policy.destinationPort === port;
}

function isSettable(policy: Policy): boolean {
  const { direction, protocol, destinationPort, conditional } = policy;
  return (
    direction !== 'fwd' &&
    protocol === 'udp' &&
    destinationPort !== undefined &&
    conditional === undefined
  );
}

function associationKey(entry: Association): string {
  return `${spiKey(entry)} ${entry.requestId} ${entry.mode} ${entry.algorithm}`;
}

function spiKey({ source, destination, spi }: Association): string {
  return `${source} ${destination} ${spi}`;
}

/** Without a key there is nothing to add: what was found, and is to be gone back to, has none. */
function addition(entry: Association): readonly IpsecOperation[] {
  const { source, destination, spi, requestId, port, key } = entry;
  if (key === undefined || port === undefined) return [];
  return [{ kind: 'association-add', source, destination, spi, requestId, port, key }];
}

function associationDeletion({ source, destination, spi }: Association): IpsecOperation {
  return { kind: 'association-delete', source, destination, spi };
}

function policySetting(policy: Policy): IpsecOperation {
  const { action, priority, requestId, spi } = policy;
  return {
    kind: 'policy-set',
    ...placeOf(policy),
    action,
    priority,
    ...(requestId !== undefined && { requestId }),
    ...(spi !== undefined && { spi }),
  };
}

function removal(policy: Policy): IpsecOperation {
  return { kind: 'policy-delete', ...placeOf(policy) };
}

/** A policy that only sends with another key is replaced in place, never deleted. */
function policyPlace(policy: Policy): string {
  return JSON.stringify(placeOf(policy));
}

function placeOf({ direction, source, destination, destinationPort = 0 }: Policy) {
  const way = direction === 'in' ? ('in' as const) : ('out' as const);
  return { direction: way, source, destination, port: destinationPort };
}

function partition<T>(
  list: readonly T[],
  holds: (entry: T) => boolean,
): readonly [readonly T[], readonly T[]] {
  return [list.filter(holds), list.filter((entry) => !holds(entry))];
}
