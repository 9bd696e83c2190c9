import { isTaplineError, type TaplineError } from '@tapline/base';
import type { Allocation, Attachment, Device, Install, Node, Segment } from '@tapline/resources';
import type { Foreign } from '@tapline/segments';
import { fabricAllocation, lessorOf, segmentAllocation } from './allocation-name.ts';
import { fabricOf, lineageOf } from './lineage.ts';
import type { SegmentObservation } from './plan-segment.ts';

/** Where it is looked up; the informers, or lists of the API. */
export interface SegmentSources {
  readonly segments: {
    get(name: string): Segment | undefined;
    byIndex(index: 'parent', name: string): readonly Segment[];
  };
  readonly allocations: { get(name: string): Allocation | undefined };
  readonly attachments: { byIndex(index: 'segment', name: string): readonly Attachment[] };
  readonly devices: { list(): readonly Device[] };
  readonly installs: { byIndex(index: 'segment', name: string): readonly Install[] };
  readonly nodes: { list(): readonly Node[] };
}

/** What a segment's plan is made from, out of the local copies. */
export function observeSegment(
  segment: Segment,
  informers: SegmentSources,
): Omit<SegmentObservation, 'nowMs' | 'times'> {
  const { allocations, attachments, devices, installs, nodes, segments } = informers;
  const { name } = segment.metadata;
  const lineage = findLineage(segment, (parent) => segments.get(parent));
  const allocation = allocations.get(segmentAllocation(name));
  const fabric = Array.isArray(lineage) ? fabricOf(lineage.at(-1) ?? segment) : undefined;
  const known = nodes.list();
  const { vteps = [] } =
    (fabric === undefined ? undefined : allocations.get(fabricAllocation(fabric)))?.spec ?? {};
  return {
    segment,
    lineage,
    // Where its numbers are from does not change with a spec that says otherwise.
    lessor: allocations.get(allocation?.spec.from ?? lessorOf(segment)),
    allocation,
    children: segments.byIndex('parent', name),
    devices: devices.list(),
    installs: installs.byIndex('segment', name),
    nodes: new Map(known.map((node) => [node.metadata.name, node])),
    vteps: new Map(vteps.map(({ node, address }) => [node, address])),
    attachments: attachments.byIndex('segment', name),
    foreign: foreignOf(known),
  };
}

function findLineage(
  segment: Segment,
  find: (name: string) => Segment | undefined,
): readonly Segment[] | TaplineError {
  try {
    return lineageOf(segment, find);
  } catch (error) {
    if (isTaplineError(error)) return error;
    throw error;
  }
}

/** What is on nodes and not ours. */
function foreignOf(nodes: readonly Node[]): Foreign {
  return {
    vnis: nodes.flatMap(({ metadata, status }) =>
      (status?.foreign?.vnis ?? []).map(({ vni, device }) => ({
        vni,
        where: `${device} on node ${metadata.name}`,
      })),
    ),
    prefixes: nodes.flatMap(({ metadata, status }) =>
      (status?.foreign?.prefixes ?? []).map(({ prefix, device }) => ({
        prefix,
        where: `${device} on node ${metadata.name}`,
      })),
    ),
  };
}
