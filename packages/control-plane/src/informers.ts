import type { Clock, Log, Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { createInformer, type Informer } from '@tapline/reconcile';
import {
  type Allocation,
  allocationResource,
  type Attachment,
  attachmentResource,
  type Channel,
  type ChannelEdge,
  channelEdgeResource,
  channelResource,
  type Delivery,
  deliveryResource,
  type Device,
  deviceResource,
  type Enrolment,
  enrolmentResource,
  type Event,
  eventResource,
  formulaObjectName,
  type Incident,
  incidentResource,
  type Install,
  installResource,
  type Node,
  nodeResource,
  type OpsPolicy,
  opsPolicyResource,
  type Package,
  packageResource,
  type Playbook,
  playbookResource,
  type Remediation,
  remediationResource,
  type Segment,
  segmentResource,
  type Token,
  tokenResource,
  type Workload,
  workloadResource,
} from '@tapline/resources';
import { ownerUids as owner } from './garbage-collection/owner-uids.ts';
import { isSettled } from './install/is-settled.ts';

/** The control plane's local copies of what its reconcilers look at; `owner` is by owners' uid. */
export interface Informers extends AsyncDisposable {
  /** By the formula's object name: those that can meet on a device. */
  readonly deliveries: Informer<Delivery, 'formula' | 'owner'>;
  readonly devices: Informer<Device, 'owner'>;
  /** `unsettled`: by delivery, those whose device has not said its last word. */
  readonly installs: Informer<Install, 'delivery' | 'device' | 'segment' | 'unsettled' | 'owner'>;
  readonly packages: Informer<Package, 'owner'>;
  readonly nodes: Informer<Node, 'owner' | 'device'>;
  /** By the name of their parent. */
  readonly segments: Informer<Segment, 'parent' | 'owner'>;
  readonly attachments: Informer<Attachment, 'segment' | 'node' | 'owner'>;
  readonly allocations: Informer<Allocation>;
  /** By their own uid: that is what links name. */
  readonly enrolments: Informer<Enrolment, 'uid' | 'owner'>;
  readonly tokens: Informer<Token, 'owner'>;
  readonly workloads: Informer<Workload, 'owner'>;
  readonly channels: Informer<Channel, 'owner'>;
  readonly channelEdges: Informer<ChannelEdge, 'channel' | 'node' | 'owner'>;
  readonly events: Informer<Event>;
  readonly playbooks: Informer<Playbook>;
  readonly remediations: Informer<Remediation>;
  readonly incidents: Informer<Incident>;
  readonly policies: Informer<OpsPolicy>;
  readonly synced: Promise<void>;
}

export function createInformers(
  client: ResourceClient,
  init: { readonly clock: Clock; readonly rng: Rng; readonly log: Log },
): Informers {
  const deliveries = createInformer(client, deliveryResource, {
    ...init,
    indexes: {
      owner,
      formula: ({ spec }: Delivery) => [formulaObjectName(spec.package.formula)],
    },
  });
  const devices = createInformer(client, deviceResource, { ...init, indexes: { owner } });
  const installs = createInformer(client, installResource, {
    ...init,
    indexes: {
      owner,
      delivery: ({ spec }: Install) => [spec.delivery],
      device: ({ spec }: Install) => [spec.device],
      segment: ({ spec }: Install) => (spec.segment === undefined ? [] : [spec.segment.name]),
      unsettled: (install: Install) => (isSettled(install) ? [] : [install.spec.delivery]),
    },
  });
  const packages = createInformer(client, packageResource, { ...init, indexes: { owner } });
  const nodes = createInformer(client, nodeResource, {
    ...init,
    indexes: { owner, device: ({ spec }: Node) => [spec.device] },
  });
  const segments = createInformer(client, segmentResource, {
    ...init,
    indexes: {
      owner,
      parent: ({ spec }: Segment) => (spec.parent === undefined ? [] : [spec.parent]),
    },
  });
  const attachments = createInformer(client, attachmentResource, {
    ...init,
    indexes: {
      owner,
      segment: ({ spec }: Attachment) => [spec.segment],
      node: ({ spec }: Attachment) => [spec.node],
    },
  });
  const allocations = createInformer(client, allocationResource, init);
  const enrolments = createInformer(client, enrolmentResource, {
    ...init,
    indexes: { owner, uid: ({ metadata }: Enrolment) => [metadata.uid ?? ''] },
  });
  const tokens = createInformer(client, tokenResource, { ...init, indexes: { owner } });
  const workloads = createInformer(client, workloadResource, { ...init, indexes: { owner } });
  const channels = createInformer(client, channelResource, { ...init, indexes: { owner } });
  const channelEdges = createInformer(client, channelEdgeResource, {
    ...init,
    indexes: {
      owner,
      channel: ({ spec }: ChannelEdge) => [spec.channel],
      node: ({ spec }: ChannelEdge) => [spec.node],
    },
  });
  const events = createInformer(client, eventResource, init);
  const playbooks = createInformer(client, playbookResource, init);
  const remediations = createInformer(client, remediationResource, init);
  const incidents = createInformer(client, incidentResource, init);
  const policies = createInformer(client, opsPolicyResource, init);
  const all = [
    deliveries,
    devices,
    installs,
    packages,
    nodes,
    segments,
    attachments,
    allocations,
    enrolments,
    tokens,
    workloads,
    channels,
    channelEdges,
    events,
    playbooks,
    remediations,
    incidents,
    policies,
  ];
  const synced = Promise.all(all.map((informer) => informer.synced)).then(() => undefined);
  synced.catch(() => undefined);
  return {
    deliveries,
    devices,
    installs,
    packages,
    nodes,
    segments,
    attachments,
    allocations,
    enrolments,
    tokens,
    workloads,
    channels,
    channelEdges,
    events,
    playbooks,
    remediations,
    incidents,
    policies,
    synced,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((informer) => informer[Symbol.asyncDispose]()));
    },
  };
}
