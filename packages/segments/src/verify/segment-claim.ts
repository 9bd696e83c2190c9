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
  /** MACs and addresses by their numbers; its ports' devices are numbered as ports are. */
  readonly names: readonly string[];
  /** The number of a name; undefined for what is none. */
  symbolOf(text: string): number | undefined;
  /** Equal for segments of which the policy asks the same. */
  readonly shape: number;
}

/** Beginnings of what follows from VNI and index: MACs, link-local addresses, neighbours' targets. */
const derived: readonly string[] = ['02:', 'fe80', '0xfe8'];

export function readSegmentClaim(
  segment: SegmentIntent,
  ports: readonly ClaimedPort[],
  {
    nodes: all,
    table,
  }: { readonly nodes: ReadonlyMap<string, NodeIntent>; readonly table: CodeTable },
): SegmentClaim {
  const list: string[] = [];
  /** Names that somebody chose, and indices of ports: where none is there twice, no name is. */
  const chosen = new Set<string>();
  const indices = new Set<number>();
  let repeated = false;
  function choose(text: string): void {
    repeated ||= chosen.has(text) || derived.some((start) => text.startsWith(start));
    chosen.add(text);
    list.push(text);
  }
  const code = new CodeBuffer();
  const { encryption } = segment;
  code.push(table.text(`${encryption.underlay} ${encryption.link}`));
  const communities = Object.keys(segment.communities);
  code.push(communities.length);
  for (const community of communities) {
    choose(community);
    code.push(segment.communities[community] ?? 0);
  }
  const ordinals = new Map<string, number>();
  for (const { intent, mac, group } of ports) {
    let ordinal = ordinals.get(intent.node);
    if (ordinal === undefined) ordinals.set(intent.node, (ordinal = ordinals.size));
    code.push(ordinal);
    code.push(group);
    code.push(intent.role.kind === 'community' ? communities.indexOf(intent.role.community) : -1);
    code.push(intent.addresses.length);
    list.push(mac);
    for (const text of intent.addresses) {
      const isLong = text.includes(':');
      code.push(isLong ? 6 : 4);
      if (!isLong) choose(text);
      else {
        const address = formatIpAddress(parseIpAddress(text));
        choose(address);
        choose(targetText(address));
      }
    }
    repeated ||= indices.has(intent.index);
    indices.add(intent.index);
    const own = portLinkLocal(segment.vni, intent.index);
    list.push(own.address, own.target);
  }
  const nodes = [...ordinals.keys()].map(
    (node) => all.get(node) ?? { name: node, vtep: '', underlay: '' },
  );
  for (const { vtep, underlay, link } of nodes) {
    choose(vtep);
    // Without a tunnel of its own a node has one address for both.
    code.push(underlay === vtep ? 1 : 0);
    if (underlay !== vtep) choose(underlay);
    code.push(link === undefined ? 0 : 1);
    if (link !== undefined) choose(link.address);
  }
  const merged = repeated ? numbersOf(list) : undefined;
  // Which of them are the same makes the shape another; elsewhere none is.
  if (merged !== undefined) for (const text of list) code.push(merged.get(text) ?? 0);
  let symbols = merged;
  return {
    segment,
    ports,
    nodes,
    names: merged === undefined ? list : [...merged.keys()],
    symbolOf(text) {
      if (!chosen.has(text) && !derived.some((start) => text.startsWith(start))) return undefined;
      // Made when it is asked for: of most segments each name is where it is expected.
      symbols ??= numbersOf(list);
      return symbols.get(text);
    },
    shape: table.sequence(code).id,
  };
}

function numbersOf(names: readonly string[]): Map<string, number> {
  const symbols = new Map<string, number>();
  for (const name of names) if (!symbols.has(name)) symbols.set(name, symbols.size);
  return symbols;
}
