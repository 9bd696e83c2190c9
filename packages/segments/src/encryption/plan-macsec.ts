import type { KeyPhase } from './key-phase.ts';
import type { MacsecOperation } from './macsec-operation.ts';

/** What MACsec on a node's link is to be. */
export interface MacsecIntent {
  readonly node: string;
  /** Name of the device that carries the underlay's address. */
  readonly dev: string;
  /** The link below it. */
  readonly parent: string;
  /** Other nodes on the link, with the MAC that they send from. */
  readonly peers: readonly { readonly node: string; readonly mac: string }[];
  readonly phase: KeyPhase;
}

/** Four keys per channel (AN 0 to 3), used in turn. */
export function associationNumber(epoch: number): number {
  return epoch & 3;
}

/**
 * The operations from one state to another: the parent is shut before the device is there, keys to
 * receive with come before those to send with, and what goes, goes last.
 */
export function planMacsec(
  from: MacsecIntent | undefined,
  to: MacsecIntent | undefined,
): readonly MacsecOperation[] {
  if (to === undefined) {
    // Frames stop, and only then is the parent open for others again.
    return from === undefined
      ? []
      : [
          { kind: 'device-delete', dev: from.dev },
          { kind: 'parent-open', parent: from.parent },
        ];
  }
  const { dev, parent, phase } = to;
  if (from !== undefined && (from.dev !== dev || from.parent !== parent)) {
    return [...planMacsec(from, undefined), ...planMacsec(undefined, to)];
  }
  const before = receptions(from);
  const after = receptions(to);
  const operations: MacsecOperation[] = [];
  if (from === undefined) {
    operations.push({ kind: 'parent-guard', parent }, { kind: 'device-add', dev, parent });
  }
  const known = new Map(from?.peers.map(({ node, mac }) => [node, mac]));
  const wanted = new Map(to.peers.map(({ node, mac }) => [node, mac]));
  for (const [node, mac] of wanted) {
    if (known.get(node) !== mac) operations.push({ kind: 'channel-add', dev, mac });
  }
  for (const [key, { node, mac, epoch }] of after) {
    if (before.has(key)) continue;
    const number = associationNumber(epoch);
    const reference = { use: 'macsec', from: node, epoch } as const;
    operations.push({ kind: 'receive-add', dev, mac, associationNumber: number, key: reference });
  }
  if (from?.phase.send !== phase.send) {
    const number = associationNumber(phase.send);
    const reference = { use: 'macsec', from: to.node, epoch: phase.send } as const;
    operations.push(
      { kind: 'send-add', dev, associationNumber: number, key: reference },
      { kind: 'send-use', dev, associationNumber: number },
    );
    if (from !== undefined) {
      const old = associationNumber(from.phase.send);
      operations.push({ kind: 'send-delete', dev, associationNumber: old });
    }
  }
  for (const [key, { node, mac, epoch }] of before) {
    if (after.has(key) || wanted.get(node) !== mac) continue;
    operations.push({
      kind: 'receive-delete',
      dev,
      mac,
      associationNumber: associationNumber(epoch),
    });
  }
  for (const [node, mac] of known) {
    if (wanted.get(node) !== mac) operations.push({ kind: 'channel-delete', dev, mac });
  }
  return operations;
}

function receptions(intent: MacsecIntent | undefined) {
  return new Map(
    intent?.peers.flatMap(({ node, mac }) =>
      intent.phase.receive.map(
        (epoch) => [`${node} ${mac} ${epoch}`, { node, mac, epoch }] as const,
      ),
    ),
  );
}
