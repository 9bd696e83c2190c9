import { isDeepStrictEqual } from 'node:util';
import { isTaplineError, TaplineError } from '@tapline/base';
import type { Plan, Waiting } from '@tapline/reconcile';
import {
  type Allocation,
  type Attachment,
  attachmentName,
  type AttachmentSpec,
  type Device,
  type Install,
  type Node,
  type Segment,
  type SegmentStatus,
} from '@tapline/resources';
import {
  type Foreign,
  grantLeases,
  type Lease,
  type LeaseLedger,
  type LeasePool,
  type LeaseRequest,
} from '@tapline/segments';
import { isParent, lessorOf, segmentAllocation } from './allocation-name.ts';
import { attachmentBodies } from './attachment-bodies.ts';
import { planSegmentRemoval } from './plan-segment-removal.ts';
import { portCandidates, selectNodes, selectPorts } from './select-ports.ts';
import { leasePoolOf, ledgerOf, settledPorts } from './segment-ledger.ts';
import { segmentStatus } from './segment-status.ts';
import type { AttachmentBody, SegmentStep } from './segment-step.ts';
import type { SegmentTimes } from './segment-times.ts';

export const segmentFinalizer = 'tapline.dev/segment';

/** What a segment's plan is made from. */
export interface SegmentObservation {
  readonly segment: Segment;
  /** Its parents, from the nearest on, or why there are none. */
  readonly lineage: readonly Segment[] | TaplineError;
  readonly children: readonly Segment[];
  /** Of its lessor, and its own. */
  readonly lessor: Allocation | undefined;
  readonly allocation: Allocation | undefined;
  readonly devices: readonly Device[];
  /** Of programs that are to be in the segment. */
  readonly installs: readonly Install[];
  readonly nodes: ReadonlyMap<string, Node>;
  readonly vteps: ReadonlyMap<string, string>;
  readonly attachments: readonly Attachment[];
  readonly foreign: Foreign;
  readonly times: Pick<SegmentTimes, 'stages'>;
  readonly nowMs: number;
}

export interface SegmentPlan extends Plan<SegmentStep> {
  readonly status: SegmentStatus;
  readonly requeueAfterMs?: number;
}

/** What the next pass over a segment does; nothing of it is done yet. */
export function planSegment(observed: SegmentObservation): SegmentPlan {
  const { segment } = observed;
  if (segment.metadata.deletionTimestamp !== undefined) return planSegmentRemoval(observed);
  try {
    return planWanted(observed);
  } catch (error) {
    if (!isTaplineError(error)) throw error;
    return refusedPlan(observed, error);
  }
}

/** What stands goes on standing, and the status says why it is not as it is wanted. */
function refusedPlan(observed: SegmentObservation, error: TaplineError): SegmentPlan {
  const retryAt = error.details?.['retryAt'];
  const retryMs =
    typeof retryAt === 'string' ? Math.max(1000, Date.parse(retryAt) - observed.nowMs) : undefined;
  const { name } = observed.segment.metadata;
  return {
    steps: [],
    waiting: [{ what: `segment ${name}`, why: `${error.code}: ${error.message}` }],
    status: segmentStatus(observed, { error }),
    ...(retryMs === undefined ? {} : { requeueAfterMs: retryMs }),
  };
}

function planWanted(observed: SegmentObservation): SegmentPlan {
  const { segment, lineage, allocation } = observed;
  if (!Array.isArray(lineage)) throw lineage;
  const { name, finalizers = [] } = segment.metadata;
  const from = lessorOf(segment);
  if (allocation?.spec.from !== undefined && allocation.spec.from !== from) {
    throw new TaplineError(
      'lease_differs',
      `segment ${name} has its numbers from ${allocation.spec.from}, which is not ${from} and does not change in its life`,
      { hint: 'delete it and create it anew, or give back the parent that it had' },
    );
  }
  const pool = leasePoolOf(observed);
  if (pool === undefined) {
    const why = 'it has no numbers to lease yet';
    return pending(observed, { what: `segment ${segment.spec.parent}`, why });
  }
  // In this order: what is leased is found again by what stands before.
  if (!finalizers.includes(segmentFinalizer)) return next(observed, { kind: 'add-finalizer' });
  if (allocation === undefined) {
    return next(observed, { kind: 'open-allocation', name: segmentAllocation(name), from });
  }
  const request = leaseRequest(segment);
  const lease = checkedLease(request, { ledger: ledgerOf(observed.lessor), pool, observed });
  if (lease === undefined) return next(observed, { kind: 'lease', from, request, pool });
  if (isParent(segment)) {
    checkParent(segment);
    return { steps: [], waiting: [], status: segmentStatus(observed, { lease }) };
  }
  return planPortsAndAttachments(observed, lease);
}

/** The lease that it has; throws where what it wants cannot be had. */
function checkedLease(
  request: LeaseRequest,
  about: {
    readonly ledger: LeaseLedger;
    readonly pool: LeasePool;
    readonly observed: SegmentObservation;
  },
): Lease | undefined {
  const { ledger, pool, observed } = about;
  const { foreign, nowMs } = observed;
  const granted = grantLeases(ledger, [request], { pool, foreign, nowMs });
  const outcome = granted.outcomes.get(request.uid);
  if (outcome === undefined) return undefined;
  if (outcome.kind === 'refused') {
    const { code, message, hint, retryAt } = outcome;
    throw new TaplineError(code, message, {
      ...(hint === undefined ? {} : { hint }),
      ...(retryAt === undefined ? {} : { details: { retryAt } }),
    });
  }
  return ledger.leases.some(({ uid, until }) => uid === request.uid && until === undefined)
    ? outcome.lease
    : undefined;
}

function leaseRequest({ metadata, spec }: Segment): LeaseRequest {
  return {
    owner: metadata.name,
    uid: metadata.uid ?? '',
    size: spec.vnis?.size ?? 1,
    first: spec.vnis?.first,
    prefix: spec.prefix,
    prefixLength: spec.prefixLength,
  };
}

function checkParent({ metadata, spec }: Segment): void {
  if ((spec.ports ?? []).length === 0) return;
  throw new TaplineError(
    'parent_has_ports',
    `segment ${metadata.name} leases ${spec.vnis?.size} VNIs and has ${spec.ports?.length} port rules; it can be one of both`,
    { hint: 'move the ports to a segment whose parent it is' },
  );
}

function planPortsAndAttachments(observed: SegmentObservation, lease: Lease): SegmentPlan {
  const { segment, allocation, attachments, devices } = observed;
  const { name } = segment.metadata;
  const nodes = selectNodes(segment.spec, devices);
  const selection = selectPorts(segment.spec.ports ?? [], portCandidates(nodes, observed.installs));
  const ledger = settledPorts(allocation?.spec, {
    segment: name,
    subnet: lease.prefix,
    firstIncarnation: lease.serial,
    ports: selection.ports,
  });
  const bodies = attachmentBodies(observed, { lease, ledger, devices: nodes });
  const status = segmentStatus(observed, { lease, selection, ledger, bodies });
  const epoch = allocation?.spec.epoch ?? 0;
  const wanted = new Map(bodies.attachments.map((body) => [attachmentName(body.node, name), body]));
  const stale = attachments.filter(({ metadata }) => !wanted.has(metadata.name));
  const outdated = [...wanted].filter(([at, body]) => !hasBody(attachments, at, body));
  const changes = outdated.length > 0 || stale.length > 0;
  const isUsed = (at: string): boolean =>
    attachments.some((one) => one.metadata.name === at && one.spec.epoch >= epoch);
  const needsEpoch =
    changes && (epoch <= (segment.status?.epoch ?? 0) || outdated.some(([at]) => isUsed(at)));
  const settle: SegmentStep = {
    kind: 'settle',
    name: segmentAllocation(name),
    ports: selection.ports,
    subnet: lease.prefix,
    firstIncarnation: lease.serial,
    newEpoch: needsEpoch,
  };
  const { waiting } = bodies;
  // The epoch is on disk before anybody hears of it: no restart hands it out again.
  if (ledger.changed || needsEpoch) return { steps: [settle], waiting, status };
  const steps = [
    ...stale.map(({ metadata, spec }): SegmentStep => ({
      kind: 'delete-attachment',
      name: metadata.name,
      why: `no port of ${name} is on node ${spec.node}`,
    })),
    ...outdated.map(([at, body]): SegmentStep => ({
      kind: attachments.some(({ metadata }) => metadata.name === at)
        ? 'update-attachment'
        : 'create-attachment',
      name: at,
      spec: { ...body, epoch },
    })),
  ];
  return { steps, waiting: [...waiting, ...waitsFor(observed, bodies.attachments)], status };
}

function hasBody(attachments: readonly Attachment[], name: string, body: AttachmentBody): boolean {
  const found = attachments.find(({ metadata }) => metadata.name === name);
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return false;
  const { epoch: _, ...rest }: AttachmentSpec = found.spec;
  return isDeepStrictEqual(rest, body);
}

/** Nodes that have not said that the newest version stands. */
function waitsFor(
  { attachments, devices }: SegmentObservation,
  wanted: readonly AttachmentBody[],
): readonly Waiting[] {
  return wanted.flatMap(({ node, segment }) => {
    const found = attachments.find(
      ({ metadata }) => metadata.name === attachmentName(node, segment),
    );
    if (found === undefined) return [];
    const { status, spec } = found;
    const current = status?.observedEpoch === spec.epoch;
    if (current && status?.state === 'Ready') return [];
    const presence = devices.find(({ metadata }) => metadata.name === node)?.status?.presence;
    const what = `node ${node}`;
    if (current && status?.state === 'Failed') {
      return [{ what, why: `${status.error?.code ?? 'failed'}: ${status.error?.message ?? ''}` }];
    }
    if (presence?.connected !== true) {
      const since = presence?.since;
      return [{ what, why: 'it is offline', ...(since === undefined ? {} : { since }) }];
    }
    return [{ what, why: `it works on epoch ${spec.epoch}` }];
  });
}

function next(observed: SegmentObservation, step: SegmentStep): SegmentPlan {
  return { steps: [step], waiting: [], status: segmentStatus(observed, {}) };
}

function pending(observed: SegmentObservation, waiting: Waiting): SegmentPlan {
  return { steps: [], waiting: [waiting], status: segmentStatus(observed, { waiting }) };
}
