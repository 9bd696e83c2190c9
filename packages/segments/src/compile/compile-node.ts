import { errorMessage, isTaplineError, TaplineError } from '@tapline/base';
import { addressBits, parseSubnet, type Subnet, subnetsOverlap } from '../address/subnet.ts';
import type { FabricIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { emptyState } from '../state/empty-state.ts';
import type { NodeState } from '../state/node-state.ts';
import { changedSegments } from './changed-segments.ts';
import { checkSegment } from './check-segment.ts';
import { compileCarrierSegment } from './compile-carrier.ts';
import { compileSegment } from './compile-segment.ts';
import { compileShared } from './compile-shared.ts';
import { compileVlanSegment } from './compile-vlan-segment.ts';
import { LayeredMap } from './layered-map.ts';
import { mergeStates } from './merge-states.ts';
import type { NodeCapabilities } from './node-capabilities.ts';
import type { NodeLayout } from './node-layout.ts';
import { overlappingPrefixes, type SegmentSubnet } from './overlapping-prefixes.ts';
import type { Refusal } from './refusal.ts';
import { type CompileContext, printedAddresses } from './segment-peers.ts';
import { segmentView } from './segment-view.ts';
import type { UnderlayDevice } from './underlay-guard.ts';
import { VlanNumbers } from './vlan-numbers.ts';

/** What a node is to have, in parts, so that a change of one segment touches one part. */
export interface CompiledNode {
  readonly intent: FabricIntent;
  /** Tables and what segments share, such as WireGuard's device. */
  readonly shared: NodeState;
  /** By VNI; a segment that is refused is not among them, and nothing of it is on the node. */
  readonly segments: LayeredMap<CompiledSegment>;
  readonly refused: readonly Refusal[];
  /** VNIs that may differ from `previous`; undefined where nothing was taken over. */
  readonly touched: ReadonlySet<number> | undefined;
}

export interface CompiledSegment {
  readonly intent: SegmentIntent;
  readonly state: NodeState;
  readonly subnet: SegmentSubnet;
  /** First and last address, rounded. */
  readonly range: readonly [number, number];
  /** Where segments are VLANs of one bridge. */
  readonly vlan?: number;
}

export interface CompileOptions {
  /** Name of the node. */
  readonly node: string;
  readonly capabilities: NodeCapabilities;
  readonly layout?: NodeLayout;
  /** VNIs that somebody else's device has on the same port, and its name. */
  readonly taken?: ReadonlyMap<number, string>;
  /** VLANs that VNIs have on the node, so that they keep them; of the layout `vlans`. */
  readonly vlans?: ReadonlyMap<number, number>;
  /** Where the underlay's packets come in; without it, there is no second guard. */
  readonly underlay?: UnderlayDevice | undefined;
  /** Of the same node and capabilities: segments that are still the same object are taken over. */
  readonly previous?: CompiledNode | undefined;
}

const few = 10;

/** Throws `node_unknown` where the intent does not name the node. */
export function compileNode(intent: FabricIntent, options: CompileOptions): CompiledNode {
  const { capabilities, layout = 'devices' } = options;
  const nodes = new Map(intent.nodes.map((node) => [node.name, node]));
  const node = nodes.get(options.node);
  if (node === undefined) {
    throw new TaplineError(
      'node_unknown',
      `node ${options.node} is not among the fabric's ${nodes.size} nodes`,
    );
  }
  const previous = reusable(intent, options.previous);
  const { gone, come } = changedSegments(previous?.intent.segments ?? [], intent.segments);
  const before = previous?.segments ?? new LayeredMap<CompiledSegment>();
  const changes = new Map<number, CompiledSegment | undefined>();
  for (const segment of gone) {
    if (before.get(segment.vni)?.intent === segment) changes.set(segment.vni, undefined);
  }
  const kept = before.with(changes);
  const changed = come.filter(({ ports }) => ports.some((port) => port.node === node.name));
  const refused: Refusal[] = [];
  const answers = capabilities.nftablesArp;
  const vlans = capabilities.vlanFiltering;
  const context = { intent, nodes, node, answers, vlans, addressOf: printedAddresses() };
  const compiled: CompiledSegment[] = [];
  const numbers =
    layout === 'vlans' ? new VlanNumbers(options.vlans, [...before.values()]) : undefined;
  for (const segment of changed) {
    try {
      checkSegment(segment, { node, capabilities, keys: intent.keys, layout });
      checkTaken(segment, { node: node.name, taken: options.taken, port: intent.vxlanPort });
      const vlan = numbers?.take(segment, before.get(segment.vni)?.vlan);
      const state = compileOne(segment, { context, layout, vlan });
      if (state === undefined) continue;
      const subnet = { ...parseSubnet(segment.subnet), segment };
      const range = roundedRange(subnet);
      compiled.push({
        intent: segment,
        state,
        subnet,
        range,
        ...(vlan !== undefined && { vlan }),
      });
    } catch (error) {
      refused.push(refusal(segment, error));
    }
  }
  for (const [segment, error] of overlaps(kept, compiled)) {
    refused.push(refusal(segment, error));
    if (before.get(segment.vni)?.intent === segment) changes.set(segment.vni, undefined);
  }
  const overlapping = new Set(refused.map(({ vni }) => vni));
  for (const segment of compiled) {
    if (!overlapping.has(segment.intent.vni)) changes.set(segment.intent.vni, segment);
  }
  const segments = before.with(changes);
  const touched = [...gone, ...come];
  const shared =
    previous !== undefined &&
    segments.size > 0 &&
    !touched.some(isEncrypted) &&
    // Policies of IPsec let through who is not encrypted.
    (touched.length === 0 || previous.shared.xfrm.policies.length === 0)
      ? previous.shared
      : compileShared({
          intent,
          node,
          segments: [...segments.values()].map((segment) => segment.intent),
          capabilities,
          layout,
          underlay: options.underlay,
          taken: options.taken ?? new Map<number, string>(),
        });
  const vnis = previous && new Set(touched.map(({ vni }) => vni));
  return { intent, shared, segments, refused, touched: vnis };
}

function compileOne(
  segment: SegmentIntent,
  {
    context,
    layout,
    vlan,
  }: {
    readonly context: CompileContext;
    readonly layout: NodeLayout;
    readonly vlan: number | undefined;
  },
): NodeState | undefined {
  if (layout === 'carrier') return compileCarrierSegment(segment, context);
  if (layout === 'underlay') return emptyState;
  const view = segmentView(segment, context, vlan);
  if (view === undefined) return undefined;
  return vlan === undefined ? compileSegment(view) : compileVlanSegment(view, vlan);
}

/** All of a node in one. */
export function wholeState({ shared, segments }: CompiledNode): NodeState {
  return mergeStates([shared, ...[...segments.values()].map(({ state }) => state)]);
}

/** What was refused may be right now, by what became of others: then nothing is taken over. */
function reusable(
  intent: FabricIntent,
  previous: CompiledNode | undefined,
): CompiledNode | undefined {
  if (previous === undefined || previous.refused.length > 0) return undefined;
  const same =
    previous.intent.nodes === intent.nodes &&
    previous.intent.vxlanPort === intent.vxlanPort &&
    previous.intent.keys === intent.keys;
  return same && previous.segments.size > 0 ? previous : undefined;
}

/** Whether peers of what encrypts may change with it. */
function isEncrypted({ encryption }: SegmentIntent): boolean {
  return encryption.underlay !== 'none' || encryption.link !== 'none';
}

/** A change of few segments compares them with the others, and does not sort all of them. */
function overlaps(
  kept: LayeredMap<CompiledSegment>,
  compiled: readonly CompiledSegment[],
): ReadonlyMap<SegmentIntent, TaplineError> {
  if (kept.size > 0 && compiled.length < few) {
    const touched = compiled.some((one, index) => {
      for (const other of kept.values()) if (meet(one, other)) return true;
      return compiled.slice(index + 1).some((other) => meet(one, other));
    });
    if (!touched) return new Map();
  }
  return overlappingPrefixes([...kept.values(), ...compiled].map(({ subnet }) => subnet));
}

/** Rounding keeps the order, so only what seems to meet is looked at exactly. */
function meet(a: CompiledSegment, b: CompiledSegment): boolean {
  const [first, last] = a.range;
  const [otherFirst, otherLast] = b.range;
  return first <= otherLast && otherFirst <= last && subnetsOverlap(a.subnet, b.subnet);
}

function roundedRange({ family, value, length }: Subnet): readonly [number, number] {
  const first = Number(value);
  return [first, first + 2 ** (addressBits(family) - length) - 1];
}

function checkTaken(
  { name, vni }: SegmentIntent,
  options: {
    readonly node: string;
    readonly port: number;
    readonly taken: ReadonlyMap<number, string> | undefined;
  },
): void {
  const device = options.taken?.get(vni);
  if (device === undefined) return;
  throw new TaplineError(
    'vni_taken',
    `VNI ${vni} of segment ${name} is taken on node ${options.node} by ${device} on UDP port ${options.port}`,
    { hint: 'give the segment another VNI, or remove the other device' },
  );
}

function refusal({ name, vni }: SegmentIntent, error: unknown): Refusal {
  if (!isTaplineError(error)) throw error;
  return { segment: name, vni, code: error.code, message: errorMessage(error) };
}
