import type { CheckOutcome, MonitoredCheck } from '@tapline/monitoring';
import { type Attachment, findCondition, type Node } from '@tapline/resources';

/** What is watched of a device that carries segments, beside what is of every device. */
export function nodeChecks(
  node: Node,
  attachments: readonly Attachment[],
): readonly MonitoredCheck[] {
  return [
    { name: 'node', title: 'Segments can stand on it', outcome: readiness(node) },
    ...attachments
      .map((attachment) => ({
        name: `segment-${attachment.spec.segment}`,
        title: `Segment ${attachment.spec.segment}`,
        outcome: attachmentOutcome(attachment),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  ];
}

function readiness({ status }: Node): CheckOutcome {
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready === undefined) return { state: 3, output: 'has not been looked at yet' };
  return { state: ready.status === 'True' ? 0 : 2, output: ready.message };
}

function attachmentOutcome({ spec, status }: Attachment): CheckOutcome {
  const { state, observedEpoch, error, drifts = 0, counters, keyAgeSeconds } = status ?? {};
  const behind = observedEpoch !== spec.epoch;
  const output =
    state === 'Failed'
      ? `failed: ${error?.message ?? error?.code ?? 'no reason given'}`
      : behind
        ? `version ${spec.epoch} is not applied yet, ${observedEpoch ?? 'none'} is`
        : `version ${spec.epoch} is ${state === 'Ready' ? 'applied' : 'being applied'}`;
  return {
    state: state === 'Failed' ? 2 : behind || state !== 'Ready' ? 1 : 0,
    output,
    performance: [
      { label: 'drifts', value: drifts, unit: 'c', min: 0 },
      ...(counters === undefined
        ? []
        : ([
            { label: 'packets', value: counters.packets, unit: 'c', min: 0 },
            { label: 'dropped', value: counters.dropped, unit: 'c', min: 0 },
            { label: 'mtu-errors', value: counters.mtuErrors, unit: 'c', min: 0 },
          ] as const)),
      ...(keyAgeSeconds === undefined
        ? []
        : // Whole minutes, as with the certificate's hours.
          ([
            { label: 'key-age', value: Math.floor(keyAgeSeconds / 60) * 60, unit: 's', min: 0 },
          ] as const)),
    ],
  };
}
