import { TaplineError } from '@tapline/base';
import type { Allocation, Attachment, Device, Install, Node, Segment } from '@tapline/resources';
import { leased, settled } from './allocation-changes.ts';
import { segmentAllocation } from './allocation-name.ts';
import { observeSegment } from './observe-segment.ts';
import { planSegment } from './plan-segment.ts';
import type { SegmentStep } from './segment-step.ts';

/** What there is, as the API lists it. */
export interface SegmentWorld {
  readonly segments: readonly Segment[];
  readonly allocations: readonly Allocation[];
  readonly attachments: readonly Attachment[];
  readonly devices: readonly Device[];
  readonly nodes: readonly Node[];
  readonly installs: readonly Install[];
}

const maxRounds = 12;

/**
 * The Attachments that there would be if these segments were applied: their plans are carried out on
 * a copy of the world, and nothing else. Throws what keeps a segment from standing.
 */
export function previewSegments(
  wanted: readonly Segment[],
  world: SegmentWorld,
  { nowMs }: { readonly nowMs: number },
): readonly Attachment[] {
  const copy = new WorldCopy(world);
  for (const segment of wanted) copy.putSegment(segment);
  for (const { metadata } of parentsFirst(wanted)) {
    for (let round = 0; round < maxRounds; round += 1) {
      const segment = copy.segments.get(metadata.name);
      if (segment === undefined) break;
      const observed = copy.observe(segment);
      const plan = planSegment({ ...observed, times: { stages: () => undefined }, nowMs });
      const { error } = plan.status;
      if (error !== undefined) {
        const { code, message, hint } = error;
        throw new TaplineError(code, message, hint === undefined ? {} : { hint });
      }
      copy.putSegment({ ...segment, status: plan.status });
      if (plan.steps.length === 0) break;
      for (const step of plan.steps) copy.take(step, { segment, foreign: observed.foreign, nowMs });
    }
  }
  return [...copy.attachments.values()];
}

/** So that a child finds what its parent has. */
function parentsFirst(segments: readonly Segment[]): readonly Segment[] {
  const wanted = byName(segments);
  const ordered = new Set<Segment>();
  function visit(segment: Segment, below: ReadonlySet<Segment>): void {
    const parent = segment.spec.parent === undefined ? undefined : wanted.get(segment.spec.parent);
    if (parent !== undefined && !below.has(parent)) visit(parent, new Set([...below, parent]));
    ordered.add(segment);
  }
  for (const segment of segments) visit(segment, new Set([segment]));
  return [...ordered];
}

class WorldCopy {
  readonly segments: Map<string, Segment>;
  readonly attachments: Map<string, Attachment>;
  readonly #allocations: Map<string, Allocation>;
  readonly #world: SegmentWorld;

  constructor(world: SegmentWorld) {
    this.#world = world;
    this.segments = byName(world.segments);
    this.attachments = byName(world.attachments);
    this.#allocations = byName(world.allocations);
  }

  /** As an API server would: what is known of it stays, and a new one gets a uid. */
  putSegment(segment: Segment): void {
    const { name } = segment.metadata;
    const before = this.segments.get(name);
    const metadata = { ...before?.metadata, ...segment.metadata };
    const quarantineSeconds = segment.spec.quarantineSeconds ?? 3600;
    const status = segment.status ?? before?.status;
    this.segments.set(name, {
      ...segment,
      metadata: { ...metadata, uid: metadata.uid ?? `preview-${name}` },
      spec: { ...segment.spec, quarantineSeconds },
      ...(status === undefined ? {} : { status }),
    });
  }

  observe(segment: Segment): ReturnType<typeof observeSegment> {
    const { devices, installs, nodes } = this.#world;
    const attachments = [...this.attachments.values()];
    return observeSegment(segment, {
      segments: {
        get: (name) => this.segments.get(name),
        byIndex: (_index, parent) =>
          [...this.segments.values()].filter(({ spec }) => spec.parent === parent),
      },
      allocations: { get: (name) => this.#allocations.get(name) },
      attachments: {
        byIndex: (_index, name) => attachments.filter(({ spec }) => spec.segment === name),
      },
      devices: { list: () => devices },
      installs: {
        byIndex: (_index, name) => installs.filter(({ spec }) => spec.segment?.name === name),
      },
      nodes: { list: () => nodes },
    });
  }

  take(
    step: SegmentStep,
    about: { readonly segment: Segment } & Parameters<typeof leased>[2],
  ): void {
    const { segment } = about;
    const { name } = segment.metadata;
    switch (step.kind) {
      case 'add-finalizer': {
        const finalizers = [...(segment.metadata.finalizers ?? []), 'tapline.dev/segment'];
        this.putSegment({ ...segment, metadata: { ...segment.metadata, finalizers } });
        return;
      }
      case 'open-allocation':
        this.#change(step.name, (spec) => ({ ...spec, from: step.from }));
        return;
      case 'lease':
        this.#change(step.from, (spec) => leased(spec, step, about));
        return;
      case 'settle':
        this.#change(segmentAllocation(name), (spec) => settled(spec, step, segment));
        return;
      case 'create-attachment':
      case 'update-attachment': {
        const metadata = { name: step.name };
        const attachment = { apiVersion: segment.apiVersion, kind: 'Attachment', metadata };
        this.attachments.set(step.name, { ...attachment, spec: step.spec });
        return;
      }
      case 'delete-attachment':
        this.attachments.delete(step.name);
        return;
      case 'end-lease':
      case 'delete-allocation':
      case 'remove-finalizer':
        // Of segments that are being deleted; who is applied is not.
        return;
    }
  }

  #change(name: string, change: (spec: Allocation['spec']) => Allocation['spec']): void {
    const before = this.#allocations.get(name);
    const spec = change(before?.spec ?? { serial: 0 });
    const metadata = before?.metadata ?? { name };
    this.#allocations.set(name, { apiVersion: '', kind: 'Allocation', metadata, spec });
  }
}

function byName<T extends { readonly metadata: { readonly name: string } }>(
  objects: readonly T[],
): Map<string, T> {
  return new Map(objects.map((object) => [object.metadata.name, object]));
}
