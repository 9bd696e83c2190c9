import type { FabricCondition, FabricMetrics } from '@tapline/fabric';
import { type AttachmentStatus, setCondition } from '@tapline/resources';
import type { AttachmentRecord } from './attachment-record.ts';

/** What an attempt at an Attachment came to. */
export interface AttachmentOutcome {
  readonly condition: FabricCondition;
  readonly seconds: { readonly applied: number; readonly verified: number };
  readonly metrics: FabricMetrics | undefined;
  readonly nowMs: number;
}

/** The status that says so; stage times are those of the attempt that made it stand. */
export function attachmentStatus(
  { spec }: AttachmentRecord,
  outcome: AttachmentOutcome,
  before: AttachmentStatus | undefined,
): AttachmentStatus {
  const { condition, metrics, seconds, nowMs } = outcome;
  const { ready, reason, message } = condition;
  const stood = before?.observedEpoch === spec.epoch && before.state === 'Ready';
  const own = metrics?.segments.find(({ vni }) => vni === spec.vni);
  const { applied, verified } = seconds;
  return {
    observedEpoch: spec.epoch,
    state: ready ? 'Ready' : 'Failed',
    mtu: spec.mtu,
    ports: spec.ports.filter(({ node }) => node === spec.node).length,
    stages: (stood ? before.stages : undefined) ?? {
      applied,
      verified,
      total: applied + verified,
    },
    ...(metrics === undefined ? {} : { drifts: metrics.driftMended }),
    ...(own === undefined
      ? {}
      : {
          counters: {
            packets: own.receivedPackets + own.sentPackets,
            bytes: own.receivedBytes + own.sentBytes,
            dropped: own.droppedPackets,
            mtuErrors: own.sendErrors,
          },
        }),
    ...keyAge(spec, metrics),
    ...(ready ? {} : { error: { code: reason, message } }),
    conditions: setCondition(
      before?.conditions,
      { type: 'Applied', status: ready ? 'True' : 'False', reason, message },
      nowMs,
    ),
  };
}

/** Of the oldest key that protects it. */
function keyAge(
  { encryption }: AttachmentRecord['spec'],
  metrics: FabricMetrics | undefined,
): Pick<AttachmentStatus, 'keyAgeSeconds'> {
  const { keyAgeSeconds: wireguard, espKeyAgeSeconds: esp, macsecKeyAgeSeconds } = metrics ?? {};
  const ages = [
    encryption.underlay === 'wireguard' ? wireguard : undefined,
    encryption.underlay === 'ipsec' ? esp : undefined,
    encryption.link === 'macsec' ? macsecKeyAgeSeconds : undefined,
  ].filter((age) => age !== undefined);
  return ages.length === 0 ? {} : { keyAgeSeconds: Math.max(...ages) };
}

/** Whether there is news in it, rather than counters that have gone on. */
export function isNews(before: AttachmentStatus | undefined, after: AttachmentStatus): boolean {
  return (
    before?.observedEpoch !== after.observedEpoch ||
    before?.state !== after.state ||
    before?.drifts !== after.drifts ||
    before?.mtu !== after.mtu ||
    before?.ports !== after.ports ||
    before?.error?.code !== after.error?.code ||
    before?.error?.message !== after.error?.message
  );
}
