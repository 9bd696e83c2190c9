import type { XfrmState } from '../state/node-state.ts';
import { covers } from './address.ts';

/**
 * Whether policies of IPsec drop VXLAN packets that come in as they are, without ESP, whatever rules of
 * nftables do. `source` is an address, or undefined for whoever has none of the fabric's.
 */
export function keptByPolicy(
  { policies }: XfrmState,
  packet: { readonly source: string | undefined; readonly local: string; readonly port: number },
): boolean {
  const { source, local, port } = packet;
  const decisive = policies
    .filter(
      (policy) =>
        policy.direction === 'in' &&
        (policy.protocol ?? 'udp') === 'udp' &&
        (policy.destinationPort ?? port) === port &&
        covers(policy.destination, local) &&
        (source === undefined ? !isHost(policy.source) : covers(policy.source, source)),
    )
    .toSorted((a, b) => a.priority - b.priority);
  for (const policy of decisive) {
    const keeps =
      policy.conditional !== true && (policy.action === 'block' || policy.level === 'required');
    if (!keeps) return false;
    // One for some prefix says nothing of those outside of it.
    if (source !== undefined || policy.source.endsWith('/0')) return true;
  }
  return false;
}

function isHost(prefix: string): boolean {
  return prefix.endsWith(prefix.includes(':') ? '/128' : '/32');
}
