import { wireguardName } from '../names/interface-names.ts';
import type { NodeState, WireguardState } from '../state/node-state.ts';
import type { Operation } from './operation.ts';
import type { LinkPlan } from './plan-links.ts';

export function planWireguard(
  desired: NodeState,
  observed: NodeState,
  { gone }: Pick<LinkPlan, 'gone'>,
): readonly Operation[] {
  const [device] = desired.wireguard;
  if (device === undefined) return [];
  const before = gone.has(wireguardName)
    ? undefined
    : observed.wireguard.find(({ dev }) => dev === device.dev);
  if (before !== undefined && settings(before) === settings(device)) return [];
  const keys = new Set(device.peers.map(({ publicKey }) => publicKey));
  const removed = (before?.peers ?? [])
    .map(({ publicKey }) => publicKey)
    .filter((key) => !keys.has(key));
  return [{ kind: 'wireguard-set', device, removed }];
}

/** What is set, without what happens by itself. */
function settings({ publicKey, listenPort, peers }: WireguardState): string {
  const sorted = peers
    .map((peer) => JSON.stringify([peer.publicKey, peer.endpoint, peer.allowedIps.toSorted()]))
    .toSorted();
  return JSON.stringify([publicKey, listenPort, sorted]);
}
