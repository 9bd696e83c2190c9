import type { OpsTarget } from '@tapline/resources';

/** What has to hold, as data. */
export type Check =
  | { readonly kind: 'nothing' }
  /** No evidence of the fault stands any more. */
  | { readonly kind: 'fault-over'; readonly playbook: string; readonly target: OpsTarget }
  | {
      readonly kind: 'condition';
      readonly target: OpsTarget;
      readonly type: string;
      readonly status: 'True' | 'False';
    }
  /** Nothing is on the node, or is on its way there. */
  | { readonly kind: 'node-empty'; readonly node: string }
  /** They have as many ready replicas as they ask for, on nodes that are there. */
  | { readonly kind: 'workloads-ready'; readonly workloads: readonly string[] }
  | { readonly kind: 'workload-left'; readonly workload: string; readonly node: string }
  /** Its rollout of a revision above this one is complete. */
  | { readonly kind: 'delivery-settled'; readonly delivery: string; readonly above: number }
  /** Each of its edges has done this flush, or a later one. */
  | { readonly kind: 'channel-flushed'; readonly channel: string; readonly generation: number }
  | { readonly kind: 'channel-primed'; readonly channel: string; readonly generation: number }
  | { readonly kind: 'segment-ready'; readonly segment: string; readonly above: number }
  | { readonly kind: 'vni-changed'; readonly segment: string; readonly was: number }
  | { readonly kind: 'keys-above'; readonly allocation: string; readonly step: number };
