import { isDeepStrictEqual } from 'node:util';
import type { TaplineError } from '@tapline/base';
import type { Waiting } from '@tapline/reconcile';
import {
  type Attachment,
  attachmentName,
  type Condition,
  type SegmentStatus,
  setCondition,
} from '@tapline/resources';
import { gatewayAddress, type Lease, parseSubnet } from '@tapline/segments';
import { isParent } from './allocation-name.ts';
import type { AttachmentBodies } from './attachment-bodies.ts';
import { fabricOf } from './lineage.ts';
import type { SegmentObservation } from './plan-segment.ts';
import type { SettledPorts } from './segment-ledger.ts';
import { leaseOf } from './segment-ledger.ts';
import type { SelectedPorts } from './select-ports.ts';

/** What a plan found out, as far as it came. */
export interface SegmentFindings {
  readonly lease?: Lease | undefined;
  readonly selection?: SelectedPorts;
  readonly ledger?: SettledPorts;
  readonly bodies?: AttachmentBodies;
  readonly error?: TaplineError;
  readonly waiting?: Waiting;
}

type State = NonNullable<SegmentStatus['state']>;
type Finding = Omit<Condition, 'lastTransitionTime' | 'type'>;

/** The status that a segment has to have; equal to the one it has where nothing changed. */
export function segmentStatus(
  observed: SegmentObservation,
  findings: SegmentFindings,
): SegmentStatus {
  const { segment, lessor, allocation, nowMs } = observed;
  const before = segment.status;
  const generation = segment.metadata.generation ?? 0;
  const lease = findings.lease ?? leaseOf(segment, lessor);
  const counts = nodeCounts(observed, findings);
  const state = stateOf(observed, { ...findings, lease, counts });
  const { error } = findings;
  let { conditions } = before ?? {};
  const set = (type: string, finding: Finding): void => {
    conditions = setCondition(
      conditions,
      { type, ...finding, observedGeneration: generation },
      nowMs,
    );
  };
  set('Ready', readiness(state, { counts, findings, failed: failedOf(observed.attachments) }));
  set(
    'Allocated',
    lease === undefined
      ? {
          status: 'False',
          reason: error?.code ?? 'Waiting',
          message: error?.message ?? waitText(findings.waiting),
        }
      : { status: 'True', reason: 'Leased', message: `VNI ${lease.first} and ${lease.prefix}` },
  );
  if (findings.selection !== undefined) {
    set('PortsSelected', selectedCondition(findings.selection));
  }
  if (findings.bodies !== undefined) set('NodesFit', fitCondition(findings.bodies));
  const { leases = [] } = allocation?.spec ?? {};
  const size = (quarantined: boolean): number =>
    leases
      .filter(({ until }) => (until !== undefined) === quarantined)
      .reduce((sum, one) => sum + one.size, 0);
  const ports = portCounts(findings.ledger);
  const epoch = settledEpoch(observed, findings);
  const { stages, readyAt } = timesOf(observed, { state, epoch });
  const next: SegmentStatus = {
    ...kept(before),
    observedGeneration: generation,
    state,
    ...(Array.isArray(observed.lineage)
      ? { fabric: fabricOf(observed.lineage.at(-1) ?? segment) }
      : {}),
    ...(lease === undefined
      ? {}
      : {
          vni: lease.first,
          subnet: lease.prefix,
          ...(isParent(segment)
            ? {
                vnis: {
                  first: lease.first,
                  size: lease.size,
                  leased: size(false),
                  quarantined: size(true),
                },
              }
            : { gateway: gatewayAddress(parseSubnet(lease.prefix)) }),
        }),
    ...(counts === undefined ? {} : { nodes: counts }),
    ...(ports === undefined ? {} : { ports }),
    ...(findings.bodies?.mtu === undefined ? {} : { mtu: findings.bodies.mtu }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(epoch === before?.epoch && before?.acceptedAt !== undefined
      ? { acceptedAt: before.acceptedAt }
      : { acceptedAt: new Date(nowMs).toISOString() }),
    ...(stages === undefined ? {} : { stages }),
    ...(readyAt === undefined ? {} : { readyAt }),
    ...(error === undefined
      ? {}
      : {
          error: {
            code: error.code,
            message: error.message,
            ...(error.hint === undefined ? {} : { hint: error.hint }),
          },
        }),
    conditions,
  };
  return before !== undefined && isDeepStrictEqual(next, before) ? before : next;
}

/** What stays until something newer is known. */
function kept(before: SegmentStatus | undefined): Partial<SegmentStatus> {
  if (before === undefined) return {};
  const { nodes, ports, mtu, epoch } = before;
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(ports === undefined ? {} : { ports }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(epoch === undefined ? {} : { epoch }),
  };
}

/** The epoch that all Attachments were written for. */
function settledEpoch(
  { allocation, attachments, segment }: SegmentObservation,
  { bodies }: SegmentFindings,
): number | undefined {
  if (bodies === undefined) return segment.status?.epoch;
  const names = new Set(
    bodies.attachments.map(({ node, segment: name }) => attachmentName(node, name)),
  );
  const isDone =
    attachments.every(({ metadata }) => names.has(metadata.name)) &&
    bodies.attachments.every((body) =>
      attachments.some(({ spec }) => {
        const { epoch: _, ...rest } = spec;
        return isDeepStrictEqual(rest, body);
      }),
    );
  return isDone ? allocation?.spec.epoch : segment.status?.epoch;
}

function timesOf(
  { segment, times, nowMs }: SegmentObservation,
  { state, epoch }: { readonly state: State; readonly epoch: number | undefined },
): Pick<SegmentStatus, 'stages' | 'readyAt'> {
  const before = segment.status;
  if (epoch === undefined) return {};
  const isKept = epoch === before?.epoch && before.readyAt !== undefined;
  if (isKept) {
    const { stages, readyAt } = before;
    return {
      ...(stages === undefined ? {} : { stages }),
      ...(readyAt === undefined ? {} : { readyAt }),
    };
  }
  if (state !== 'Ready') return {};
  const stages = times.stages(segment.metadata.name, epoch);
  return {
    readyAt: new Date(nowMs).toISOString(),
    ...(stages === undefined ? {} : { stages }),
  };
}

function nodeCounts(
  { attachments, devices, segment }: SegmentObservation,
  { bodies }: SegmentFindings,
): SegmentStatus['nodes'] | undefined {
  if (bodies === undefined) return undefined;
  const { name } = segment.metadata;
  const wanted = bodies.attachments.map(({ node }) => node);
  const ready = wanted.filter((node) =>
    attachments.some((one) => one.metadata.name === attachmentName(node, name) && stands(one)),
  );
  const offline = wanted.filter(
    (node) =>
      devices.find(({ metadata }) => metadata.name === node)?.status?.presence?.connected !== true,
  );
  return {
    desired: wanted.length + bodies.waiting.length,
    ready: ready.length,
    offline: offline.length,
  };
}

/** Whether the node has said that its newest version is in the kernel. */
export function stands({ spec, status }: Attachment): boolean {
  return status?.observedEpoch === spec.epoch && status.state === 'Ready';
}

function stateOf(
  { segment, attachments }: SegmentObservation,
  about: SegmentFindings & { readonly counts: SegmentStatus['nodes'] | undefined },
): State {
  const { lease, counts, error, bodies } = about;
  if (segment.metadata.deletionTimestamp !== undefined) return 'Deleting';
  if (error !== undefined) return attachments.length > 0 ? 'Degraded' : 'Failed';
  if (lease === undefined || about.waiting !== undefined) return 'Pending';
  if (isParent(segment)) return 'Leasing';
  if (counts === undefined) return segment.status?.state ?? 'Pending';
  if ((bodies?.unfit.length ?? 0) > 0) return 'Degraded';
  if (counts.ready === counts.desired) return 'Ready';
  if (failedOf(attachments).length > 0) return 'Degraded';
  return counts.ready + counts.offline >= counts.desired && counts.ready > 0
    ? 'Degraded'
    : 'Applying';
}

/** Those whose node could not apply the newest version. */
function failedOf(attachments: readonly Attachment[]): readonly Attachment[] {
  return attachments.filter(
    ({ spec, status }) => status?.observedEpoch === spec.epoch && status.state === 'Failed',
  );
}

function readiness(
  state: State,
  about: {
    readonly counts: SegmentStatus['nodes'] | undefined;
    readonly findings: SegmentFindings;
    readonly failed: readonly Attachment[];
  },
): Finding {
  const { counts, findings, failed } = about;
  if (findings.error !== undefined) {
    return { status: 'False', reason: findings.error.code, message: findings.error.message };
  }
  const { desired = 0, ready = 0, offline = 0 } = counts ?? {};
  const stand = `stands on ${ready} of ${desired} nodes`;
  switch (state) {
    case 'Ready':
      return { status: 'True', reason: 'Stands', message: stand };
    case 'Leasing':
      return { status: 'True', reason: 'Leasing', message: 'leases to its children' };
    case 'Deleting':
      return { status: 'False', reason: 'Deleting', message: 'is being deleted' };
    case 'Pending':
      return { status: 'False', reason: 'Pending', message: waitText(findings.waiting) };
    case 'Applying':
    case 'Degraded':
    case 'Failed': {
      const away = offline === 0 ? '' : `, ${offline} offline`;
      const why = failed.map(
        ({ spec, status }) => `; ${spec.node}: ${status?.error?.message ?? 'failed'}`,
      );
      const unfit = findings.bodies?.unfit ?? [];
      // Nodes that are away apply it when they are back; one that failed needs somebody, and where its
      // numbers are somebody else's no node that fails by them ever will.
      const isTaken = unfit.some(({ code }) => code === 'vni_taken');
      const reason = isTaken ? 'NumbersTaken' : failed.length > 0 ? 'NotApplied' : state;
      const unable = unfit.map((one) => `; ${one.why}`);
      const all = [...why, ...unable].slice(0, 5).join('');
      const message = `${stand}${away}${all}`.slice(0, 1000);
      return { status: 'False', reason, message };
    }
  }
}

function selectedCondition({ empty, ports }: SelectedPorts): Finding {
  if (empty.length === 0) {
    return { status: 'True', reason: 'Selected', message: `${ports.length} ports` };
  }
  const rules = empty.map((select) => JSON.stringify(select)).join(', ');
  return {
    status: 'False',
    reason: 'NothingSelected',
    message: `no node is selected by ${rules}`,
  };
}

function fitCondition({ unfit, waiting, attachments }: AttachmentBodies): Finding {
  const [first] = unfit;
  if (first !== undefined) {
    const why = unfit.map((one) => one.why).join('; ');
    return {
      status: 'False',
      reason: first.code,
      message: `${why}; it has no part in the segment`,
    };
  }
  if (waiting.length > 0) {
    return {
      status: 'Unknown',
      reason: 'Waiting',
      message: waiting.map(({ why }) => why).join('; '),
    };
  }
  return { status: 'True', reason: 'Fit', message: `${attachments.length} nodes can carry it` };
}

function portCounts(ledger: SettledPorts | undefined): SegmentStatus['ports'] | undefined {
  if (ledger === undefined) return undefined;
  const used = ledger.ports.filter(({ released }) => released === undefined);
  const count = (kind: string): number => used.filter((port) => port.kind === kind).length;
  return {
    total: used.length,
    promiscuous: count('promiscuous'),
    community: count('community'),
    isolated: count('isolated'),
  };
}

function waitText(waiting: Waiting | undefined): string {
  return waiting === undefined ? 'has no numbers yet' : `${waiting.what}: ${waiting.why}`;
}
