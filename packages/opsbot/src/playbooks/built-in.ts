import type { PlaybookSpec } from '@tapline/resources';

type Defaults = 'guards' | 'verify' | 'onFailure' | 'mode';
type Written = Omit<PlaybookSpec, Defaults> & {
  readonly mode: PlaybookSpec['mode'];
  readonly guards?: Partial<PlaybookSpec['guards']>;
  readonly verify?: Partial<PlaybookSpec['verify']>;
  readonly onFailure?: PlaybookSpec['onFailure'];
};

/** A playbook that comes with Tapline, as it would be written. */
export interface BuiltInPlaybook {
  readonly name: string;
  readonly spec: Written;
}

/**
 * What is done about the faults that come with running this. Written once at the first start; from then
 * on they are the user's, who may change or delete them. What takes something away waits for a person.
 */
export const builtInPlaybooks: readonly BuiltInPlaybook[] = [
  {
    name: 'dead-node',
    spec: {
      description: 'A node is gone: keep workloads off it until it is steady again.',
      runbook: 'dead-node',
      mode: 'Automatic',
      on: {
        icinga: { check: 'host', states: ['down'] },
        condition: { type: 'Ready', status: 'False', reasons: ['Offline'] },
      },
      target: { kind: 'Node' },
      guards: { settleSeconds: 1, concurrent: 2, maxTargets: 1, maxTargetPercent: 40 },
      steps: [{ action: 'drain-node', timeoutSeconds: 60 }],
      verify: { accept: 'Done' },
      // It is dead: what was moved away is better off elsewhere also where not all of it could move.
      onFailure: 'Keep',
    },
  },
  {
    name: 'node-is-back',
    spec: {
      description: 'A node that OpsBot drained is well again: workloads may come to it.',
      runbook: 'dead-node',
      mode: 'Automatic',
      on: { condition: { type: 'Ready', status: 'True' } },
      target: { kind: 'Node', selector: 'ops.tapline.dev/drained=true' },
      guards: { settleSeconds: 60, maxFlaps: 3 },
      steps: [{ action: 'uncordon-node' }],
      verify: { accept: 'Done' },
    },
  },
  {
    name: 'device-flapping',
    spec: {
      description: 'A node comes and goes: keep workloads off it, and have its network looked at.',
      runbook: 'device-flapping',
      mode: 'Automatic',
      on: {
        icinga: { check: 'host', states: ['flapping'] },
        condition: { type: 'ReadyFlapping', status: 'True' },
      },
      target: { kind: 'Node' },
      guards: { maxFlaps: 100, cooldownSeconds: 3600 },
      steps: [
        { action: 'drain-node', timeoutSeconds: 120 },
        { action: 'notify', message: 'the node comes and goes; look at its network' },
      ],
      verify: { accept: 'Done' },
      onFailure: 'Keep',
    },
  },
  {
    name: 'full-disk',
    spec: {
      description: 'A node has almost no room for images: have its workloads run elsewhere.',
      runbook: 'full-disk',
      mode: 'Approve',
      on: { icinga: { check: 'disk', states: ['critical'] } },
      target: { kind: 'Node' },
      guards: { cooldownSeconds: 3600 },
      steps: [
        { action: 'drain-node', timeoutSeconds: 300 },
        { action: 'notify', message: 'the node is drained; make room on its disk' },
      ],
      verify: { accept: 'Done' },
    },
  },
  {
    name: 'broken-segment',
    spec: {
      description: 'A node could not apply a segment: have it take the segment anew.',
      runbook: 'broken-segment',
      mode: 'Automatic',
      on: {
        icinga: { check: 'segment-*', states: ['critical'] },
        condition: { type: 'Ready', status: 'False', reasons: ['NotApplied'] },
        alert: { name: 'TaplineSegmentBroken' },
      },
      target: { kind: 'Segment' },
      guards: { settleSeconds: 2, cooldownSeconds: 120 },
      steps: [{ action: 'reapply-segment', timeoutSeconds: 30 }],
      verify: { timeoutSeconds: 30 },
      escalateTo: 'reallocate-segment',
    },
  },
  {
    name: 'reallocate-segment',
    spec: {
      description:
        'A segment that cannot stand with its numbers gets others, when a person says so.',
      runbook: 'broken-segment',
      mode: 'Approve',
      on: {
        alert: { name: 'TaplineSegmentStillBroken' },
        condition: { type: 'Ready', status: 'False', reasons: ['NumbersTaken'] },
      },
      target: { kind: 'Segment' },
      guards: { cooldownSeconds: 3600 },
      steps: [{ action: 'reallocate-segment', timeoutSeconds: 60 }],
      verify: { accept: 'Done' },
      onFailure: 'Keep',
    },
  },
  {
    name: 'failed-delivery',
    spec: {
      description: 'A wave failed: go back to the version that was complete before.',
      runbook: 'failed-delivery',
      mode: 'Approve',
      on: {
        condition: {
          type: 'Degraded',
          status: 'True',
          reasons: ['DevicesFailed', 'ErrorBudgetExhausted', 'WaveFailed'],
        },
      },
      target: { kind: 'Delivery' },
      guards: { cooldownSeconds: 600 },
      steps: [{ action: 'rollback-delivery', timeoutSeconds: 300 }],
      verify: { accept: 'Done' },
      onFailure: 'Keep',
    },
  },
  {
    name: 'expiring-certificate',
    spec: {
      description:
        'A device did not renew its certificate: tell whose it is before it is locked out.',
      runbook: 'expiring-certificate',
      mode: 'Automatic',
      on: { icinga: { check: 'certificate', states: ['warning', 'critical'] } },
      target: { kind: 'Device' },
      guards: { cooldownSeconds: 3600, perHour: 60, concurrent: 10 },
      steps: [
        {
          action: 'notify',
          message: 'its certificate ends soon, and it has not renewed it by itself',
        },
      ],
      verify: { accept: 'Done' },
    },
  },
  {
    name: 'low-hit-ratio',
    spec: {
      description:
        'The caches of a channel answer too little by themselves: have them ask anew for what they keep, and fetch what players ask for.',
      runbook: 'low-hit-ratio',
      mode: 'Automatic',
      on: {
        condition: { type: 'HitRatio', status: 'False' },
        alert: { name: 'TaplineCacheHitRatioLow' },
      },
      target: { kind: 'Channel' },
      guards: { cooldownSeconds: 600, concurrent: 3 },
      steps: [
        // Softly: should the origin be what fails, there is still something to serve.
        { action: 'flush-cache', soft: true, timeoutSeconds: 30 },
        { action: 'prime-cache', timeoutSeconds: 300 },
      ],
      verify: { timeoutSeconds: 120 },
    },
  },
  {
    name: 'slow-stream',
    spec: {
      description: 'A channel comes slowly from an edge, and not from others: serve it elsewhere.',
      runbook: 'slow-stream',
      mode: 'Automatic',
      on: { condition: { type: 'Stream', status: 'False', reasons: ['EdgeSlow'] } },
      target: { kind: 'Channel' },
      guards: { cooldownSeconds: 60, concurrent: 3, settleSeconds: 5 },
      steps: [{ action: 'move-workload', timeoutSeconds: 60 }],
      verify: { timeoutSeconds: 60 },
    },
  },
  {
    name: 'slow-channel',
    spec: {
      description:
        'A channel comes slowly from each of its edges: fetch what players ask for, and have its origin looked at.',
      runbook: 'slow-stream',
      mode: 'Automatic',
      on: {
        condition: { type: 'Stream', status: 'False', reasons: ['Slow'] },
        alert: { name: 'TaplineStreamSlow' },
      },
      target: { kind: 'Channel' },
      guards: { cooldownSeconds: 600, concurrent: 3, settleSeconds: 5 },
      steps: [
        { action: 'notify', message: 'it comes slowly from each edge; look at its origin' },
        { action: 'prime-cache', timeoutSeconds: 300 },
      ],
      verify: { timeoutSeconds: 120 },
    },
  },
  {
    name: 'slow-workload',
    spec: {
      description: 'A workload serves slowly: start it again, a replica at a time.',
      runbook: 'slow-stream',
      mode: 'Automatic',
      on: { alert: { name: 'TaplineWorkloadSlow' } },
      target: { kind: 'Workload' },
      guards: { cooldownSeconds: 900, settleSeconds: 5 },
      steps: [{ action: 'restart-workload', timeoutSeconds: 60 }],
      verify: { timeoutSeconds: 300 },
    },
  },
];
