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
  const informers = {
    deliveries: createInformer(client, deliveryResource, {
      ...init,
      indexes: {
        owner,
        formula: ({ spec }: Delivery) => [formulaObjectName(spec.package.formula)],
      },
    }),
    devices: createInformer(client, deviceResource, { ...init, indexes: { owner } }),
    installs: createInformer(client, installResource, {
      ...init,
      indexes: {
        owner,
        delivery: ({ spec }: Install) => [spec.delivery],
        device: ({ spec }: Install) => [spec.device],
        segment: ({ spec }: Install) => (spec.segment === undefined ? [] : [spec.segment.name]),
        unsettled: (install: Install) => (isSettled(install) ? [] : [install.spec.delivery]),
      },
    }),
    packages: createInformer(client, packageResource, { ...init, indexes: { owner } }),
    nodes: createInformer(client, nodeResource, {
      ...init,
      indexes: { owner, device: ({ spec }: Node) => [spec.device] },
    }),
    segments: createInformer(client, segmentResource, {
      ...init,
      indexes: {
        owner,
        parent: ({ spec }: Segment) => (spec.parent === undefined ? [] : [spec.parent]),
      },
    }),
    attachments: createInformer(client, attachmentResource, {
      ...init,
      indexes: {
        owner,
        segment: ({ spec }: Attachment) => [spec.segment],
        node: ({ spec }: Attachment) => [spec.node],
      },
    }),
    allocations: createInformer(client, allocationResource, init),
    enrolments: createInformer(client, enrolmentResource, {
      ...init,
      indexes: { owner, uid: ({ metadata }: Enrolment) => [metadata.uid ?? ''] },
    }),
    tokens: createInformer(client, tokenResource, { ...init, indexes: { owner } }),
    workloads: createInformer(client, workloadResource, { ...init, indexes: { owner } }),
    channels: createInformer(client, channelResource, { ...init, indexes: { owner } }),
    channelEdges: createInformer(client, channelEdgeResource, {
      ...init,
      indexes: {
        owner,
        channel: ({ spec }: ChannelEdge) => [spec.channel],
        node: ({ spec }: ChannelEdge) => [spec.node],
      },
    }),
    events: createInformer(client, eventResource, init),
    playbooks: createInformer(client, playbookResource, init),
    remediations: createInformer(client, remediationResource, init),
    incidents: createInformer(client, incidentResource, init),
    policies: createInformer(client, opsPolicyResource, init),
  };
  const all = Object.values(informers);
  const synced = Promise.all(all.map((informer) => informer.synced)).then(() => undefined);
  synced.catch(() => undefined);
  return {
    ...informers,
    synced,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((informer) => informer[Symbol.asyncDispose]()));
    },
  };
}
