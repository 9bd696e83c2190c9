import { TaplineError } from '@tapline/base';
import type { Segment } from '@tapline/resources';
import type { PlannedStep } from './planned-step.ts';
import { notPossible, type StepContext } from './step-context.ts';

/** Numbers that did not do are nobody's for so long: else the lowest free ones would be the same. */
const leastRestSeconds = 3600;

/** Another segment, as a fault may need one; what is there already is left as it is. */
export function planCreateSegment(context: StepContext): PlannedStep {
  const { step, fleet, timeoutSeconds } = context;
  if (step.segment === undefined) throw notPossible('create-segment names no segment');
  const { name, ...spec } = step.segment;
  const found = fleet.segments.get(name);
  const object = { kind: 'Segment', name } as const;
  // It has its numbers; on which nodes it is say those who use it later.
  const check = { kind: 'condition', target: object, type: 'Allocated', status: 'True' } as const;
  const action = 'create-segment';
  if (found !== undefined) {
    const operation = { kind: 'none', why: `segment ${name} is there` } as const;
    return { action, text: `segment ${name} is there already`, operation, check, timeoutSeconds };
  }
  return {
    action,
    text: `create segment ${name}`,
    operation: { kind: 'create', object, spec },
    // Nobody's uid is known yet: the undo is only for what this very run made.
    undo: { kind: 'delete', object, uid: '' },
    check,
    timeoutSeconds,
  };
}

/** Has each node on which a segment failed take it anew, as a new version of the segment. */
export function planReapply(context: StepContext): readonly PlannedStep[] {
  const { fleet, target, timeoutSeconds } = context;
  const segment = segmentOf(context);
  const { name } = segment.metadata;
  const failed = [...fleet.attachments.values()]
    .filter(({ spec, status, metadata }) =>
      target.kind === 'Attachment'
        ? metadata.name === target.name
        : spec.segment === name && status?.state === 'Failed',
    )
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  if (failed.length === 0) throw notPossible(`segment ${name} failed on no node`);
  return failed.map(({ metadata, spec }) => ({
    action: 'reapply-segment',
    text: `have node ${spec.node} take segment ${name} anew`,
    operation: {
      kind: 'delete',
      object: { kind: 'Attachment', name: metadata.name },
      uid: metadata.uid ?? '',
    },
    check: { kind: 'segment-ready', segment: name, above: segment.status?.epoch ?? 0 },
    timeoutSeconds,
  }));
}

/** Another VNI and other addresses; the old ones rest for as long as the segment says, or an hour. */
export function planReallocate(context: StepContext): PlannedStep {
  const segment = segmentOf(context);
  const { name, uid = '' } = segment.metadata;
  const { prefix, vnis, parent, fabric = 'default', quarantineSeconds } = segment.spec;
  if (prefix !== undefined || vnis?.first !== undefined) {
    throw notPossible(
      `segment ${name} asks for a certain prefix or VNI, so it would get the same again`,
      'change its spec',
    );
  }
  if (vnis?.size !== undefined) {
    throw notPossible(`segment ${name} leases to its children, who have numbers of it`);
  }
  const vni = segment.status?.vni;
  if (vni === undefined) throw notPossible(`segment ${name} has no VNI yet`);
  return {
    action: 'reallocate-segment',
    text: `give segment ${name} another VNI than ${vni}, and other addresses`,
    operation: {
      kind: 'end-lease',
      allocation: parent === undefined ? `fabric.${fabric}` : `segment.${parent}`,
      segmentUid: uid,
      vni,
      quarantineSeconds: Math.max(quarantineSeconds, leastRestSeconds),
    },
    check: { kind: 'vni-changed', segment: name, was: vni },
    timeoutSeconds: context.timeoutSeconds,
  };
}

/** The keys of IPsec and MACsec of a fabric; WireGuard's are a node's own. */
export function planRotateKeys(context: StepContext): PlannedStep {
  const { target, fleet } = context;
  const fabric =
    target.kind === 'Node'
      ? (fleet.nodes.get(target.name)?.spec.fabric ?? 'default')
      : (segmentOf(context).spec.fabric ?? 'default');
  const steps = [...fleet.nodes.values()]
    .filter(({ spec }) => (spec.fabric ?? 'default') === fabric)
    .flatMap(({ status }) => status?.keyring?.step ?? []);
  const step = Math.max(...steps, -1);
  if (step < 0) {
    throw new TaplineError(
      'ops_action_unsupported',
      `fabric ${fabric} has no keys of IPsec or MACsec; WireGuard rotates its own every two minutes`,
    );
  }
  const name = `fabric.${fabric}`;
  return {
    action: 'rotate-keys',
    text: `take the keys of fabric ${fabric} to the step after ${step}`,
    operation: {
      kind: 'change',
      object: { kind: 'Allocation', name },
      uid: '',
      fields: [{ path: ['spec', 'keys', 'since'], value: '1970-01-01T00:00:00.000Z', was: null }],
    },
    check: { kind: 'keys-above', allocation: name, step },
    timeoutSeconds: context.timeoutSeconds,
  };
}

function segmentOf({ target, fleet, step }: StepContext): Segment {
  const name =
    target.kind === 'Attachment' ? fleet.attachments.get(target.name)?.spec.segment : target.name;
  const isOf = target.kind === 'Segment' || target.kind === 'Attachment';
  const segment = isOf && name !== undefined ? fleet.segments.get(name) : undefined;
  if (segment !== undefined) return segment;
  throw notPossible(`${step.action} needs a segment, and ${target.kind} ${target.name} is none`);
}
