import type { Clock, Log, Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { createInformer } from '@tapline/reconcile';
import {
  attachmentResource,
  channelResource,
  deliveryResource,
  deviceResource,
  incidentResource,
  installResource,
  nodeResource,
  opsPolicyResource,
  playbookResource,
  remediationResource,
  segmentResource,
  workloadResource,
} from '@tapline/resources';
import type { OpsInformers } from './ops-informers.ts';

/** Local copies of its own, for a replica that runs elsewhere than in a control plane. */
export function createOpsInformers(
  client: ResourceClient,
  init: { readonly clock: Clock; readonly rng: Rng; readonly log: Log },
): OpsInformers & AsyncDisposable & { readonly synced: Promise<void> } {
  const informers = {
    devices: createInformer(client, deviceResource, init),
    nodes: createInformer(client, nodeResource, init),
    workloads: createInformer(client, workloadResource, init),
    channels: createInformer(client, channelResource, init),
    segments: createInformer(client, segmentResource, init),
    attachments: createInformer(client, attachmentResource, init),
    deliveries: createInformer(client, deliveryResource, init),
    installs: createInformer(client, installResource, init),
    playbooks: createInformer(client, playbookResource, init),
    remediations: createInformer(client, remediationResource, init),
    incidents: createInformer(client, incidentResource, init),
    policies: createInformer(client, opsPolicyResource, init),
  };
  const all = Object.values(informers);
  const synced = Promise.all(all.map((one) => one.synced)).then(() => undefined);
  synced.catch(() => undefined);
  return {
    ...informers,
    synced,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}
