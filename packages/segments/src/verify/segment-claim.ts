import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts';
import { targetText } from '../address/target-text.ts';
import type { NodeIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { portLinkLocal } from '../names/port-link-local.ts';
import type { ClaimedPort } from './claim-index.ts';
import { CodeBuffer, type CodeTable } from './code-table.ts';

/**
 * A segment of the claim with numbers in place of its own names: devices, MACs, addresses, nodes. Two
 * segments of the same shape have the same numbers for what plays the same part.
 */
export interface SegmentClaim {
  readonly segment: SegmentIntent;
  readonly ports: readonly ClaimedPort[];
  /** Those with ports of it, by first appearance. */
  readonly nodes: readonly NodeIntent[];
  /** Of MACs and addresses; its ports' devices are numbered as ports are. */
  readonly symbols: ReadonlyMap<string, number>;
  /** Equal for segments of which the policy asks the same. */
  readonly shape: number;
}

export function readSegmentClaim(
  segment: SegmentIntent,
  ports: readonly ClaimedPort[],
  {
    nodes: all,
    table,
  }: { readonly nodes: ReadonlyMap<string, NodeIntent>; readonly table: CodeTable },
): SegmentClaim {
  const symbols = new Map<string, number>();
  const code = new CodeBuffer();
  function name(text: string): void {
    let symbol = symbols.get(text);
    if (symbol === undefined) symbols.set(text, (symbol = symbols.size));
    // Again where two have the same: then the shape is another.
    code.push(symbol);
  }
  const { encryption, communities } = segment;
  code.push(table.text(`${encryption.underlay} ${encryption.link}`));
  for (const [community, id] of Object.entries(communities)) {
    name(community);
    code.push(id);
  }
  const ordinals = new Map<string, number>();
  for (const { intent, mac, group } of ports) {
    let ordinal = ordinals.get(intent.node);
    if (ordinal === undefined) ordinals.set(intent.node, (ordinal = ordinals.size));
    code.push(ordinal);
    code.push(group);
    if (intent.role.kind === 'community') name(intent.role.community);
    code.push(intent.addresses.length);
    name(mac);
    for (const text of intent.addresses) {
      if (!text.includes(':')) name(text);
      else {
        const address = formatIpAddress(parseIpAddress(text));
        name(address);
        name(targetText(address));
      }
    }
    const own = portLinkLocal(segment.vni, intent.index);
    name(own.address);
    name(own.target);
  }
  const nodes = [...ordinals.keys()].map(
    (node) => all.get(node) ?? { name: node, vtep: '', underlay: '' },
  );
  for (const { vtep, underlay, link } of nodes) {
    name(vtep);
    name(underlay);
    if (link !== undefined) name(link.address);
  }
  return { segment, ports, nodes, symbols, shape: table.sequence(code) };
}
