import { defined } from '@tapline/base';
import type { NewObject } from '@tapline/client';
import {
  type Channel,
  channelResource,
  channelWorkloadName,
  type Workload,
  type WorkloadSpec,
} from '@tapline/resources';
import { ownerReference } from '../garbage-collection/owner-reference.ts';

const suffix = channelWorkloadName('');

export function channelOfWorkload(workload: string): string | undefined {
  return workload.endsWith(suffix) ? workload.slice(0, -suffix.length) : undefined;
}

/** The Workload that says on which nodes a channel is. */
export function workloadOfChannel(channel: Channel): NewObject<WorkloadSpec> {
  const { metadata, spec } = channel;
  const { replicas, nodes, spread, cpus, memoryBytes, moveAfterSeconds } = spec.edges;
  return {
    metadata: {
      name: channelWorkloadName(metadata.name),
      ownerReferences: [ownerReference(channelResource, channel)],
    },
    spec: {
      engine: { channel: metadata.name },
      replicas,
      resources: { cpus, memoryBytes },
      moveAfterSeconds,
      atOnce: 1,
      ...defined({ nodes, spread }),
      ...(spec.segment !== undefined && { segment: { name: spec.segment } }),
    },
  };
}

/** Whether it is this channel's, and not that of one of the same name before it. */
export function isOwnWorkload({ metadata }: Workload, { metadata: { uid } }: Channel): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
}
