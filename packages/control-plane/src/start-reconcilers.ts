import type { Clock, Log, Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { ProfileGrant } from '@tapline/profiles';
import { createEventRecorder, type Explanation } from '@tapline/reconcile';
import {
  attachmentResource,
  channelEdgeResource,
  channelResource,
  deliveryResource,
  deviceResource,
  enrolmentResource,
  eventResource,
  incidentResource,
  installResource,
  nodeResource,
  packageResource,
  remediationResource,
  segmentResource,
  tokenResource,
  workloadResource,
} from '@tapline/resources';
import type { Span } from '@tapline/telemetry';
import { createChannelReconciler } from './channel/channel-reconciler.ts';
import { createExpiryReconciler } from './create-expiry-reconciler.ts';
import { createDeliveryReconciler } from './delivery/delivery-reconciler.ts';
import { createDeviceReconciler } from './device/device-reconciler.ts';
import { createEnrolmentReconciler } from './enrolment/enrolment-reconciler.ts';
import { eventExpiryMs } from './event/event-expiry.ts';
import { createGarbageCollector } from './garbage-collection/garbage-collector.ts';
import { createInformers, type Informers } from './informers.ts';
import { explainInstall } from './install/explain-install.ts';
import type { ControlPlaneMetrics } from './metrics.ts';
import { createKeyReconciler } from './keys/key-reconciler.ts';
import { createNodeReconciler } from './node/node-reconciler.ts';
import { incidentExpiryMs, remediationExpiryMs } from './ops/ops-expiry.ts';
import { createPackageReconciler } from './package/package-reconciler.ts';
import type { PackageSource } from './package/package-source.ts';
import { createAllocationWriter } from './segment/allocation-writer.ts';
import { createSegmentReconciler } from './segment/segment-reconciler.ts';
import { tokenExpiryMs } from './token/token-expiry.ts';
import { createWorkloadReconciler } from './workload/workload-reconciler.ts';

export interface ReconcilersInit {
  readonly client: ResourceClient;
  readonly source: PackageSource;
  readonly metrics: Pick<ControlPlaneMetrics, 'reconcile' | 'stages'>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly packageMaxAgeMs: number;
  /** Where traces of deliveries go. */
  readonly onSpans?: (spans: readonly Span[]) => void;
  readonly buildConcurrency: number;
  readonly eventTtlMs: number;
  readonly tokenGraceMs: number;
  /** Out of which nodes get their addresses inside the encrypted underlay. */
  readonly vtepPrefix: string;
  /** How long keys of IPsec and MACsec are in use. */
  readonly keyRotationMs: number;
  /** The address of a profile; undefined until it is known where the server listens. */
  readonly profileUrl: (grant: ProfileGrant, name: string) => string | undefined;
}

/** All reconcilers of a control plane over one client; they care not what API it reaches. */
export interface Reconcilers extends AsyncDisposable {
  readonly informers: Informers;
  /** Resolves when the informers are synced and passes have begun. */
  readonly started: Promise<void>;
  explainDelivery(name: string): Explanation | undefined;
  explainSegment(name: string): Explanation | undefined;
  explainInstall(name: string): Explanation | undefined;
  /** Objects that wait for a pass, by reconciler. */
  depths(): Readonly<Record<string, number>>;
}

export function startReconcilers(init: ReconcilersInit): Reconcilers {
  const { client, clock, rng, log } = init;
  const informers = createInformers(client, { clock, rng, log });
  const events = createEventRecorder({ client, clock, log, component: 'tapline-control-plane' });
  const common = { client, informers, clock, rng, log, metrics: init.metrics.reconcile };
  const recording = { ...common, events, stageMetrics: init.metrics.stages };
  const { deliveries, devices, installs, packages, tokens } = informers;
  const delivery = createDeliveryReconciler({
    ...recording,
    packageMaxAgeMs: init.packageMaxAgeMs,
    onSpans: init.onSpans,
  });
  const allocations = createAllocationWriter({
    client,
    observe: (allocation) => informers.allocations.observe(allocation),
  });
  const segment = createSegmentReconciler({ ...recording, allocations });
  const reconcilers = [
    delivery,
    segment,
    createNodeReconciler({ ...common, allocations, vtepPrefix: init.vtepPrefix }),
    createKeyReconciler({ ...common, allocations, rotationMs: init.keyRotationMs }),
    createPackageReconciler({
      ...recording,
      source: init.source,
      concurrency: init.buildConcurrency,
    }),
    createDeviceReconciler(common),
    createWorkloadReconciler(common),
    createChannelReconciler(recording),
    createEnrolmentReconciler({ ...common, profileUrl: init.profileUrl }),
    createGarbageCollector({
      ...common,
      kinds: [
        { definition: deliveryResource, informer: deliveries },
        { definition: deviceResource, informer: devices },
        { definition: installResource, informer: installs },
        { definition: packageResource, informer: packages },
        { definition: nodeResource, informer: informers.nodes },
        { definition: segmentResource, informer: informers.segments },
        { definition: attachmentResource, informer: informers.attachments },
        { definition: enrolmentResource, informer: informers.enrolments },
        { definition: tokenResource, informer: tokens },
        { definition: workloadResource, informer: informers.workloads },
        { definition: channelResource, informer: informers.channels },
        { definition: channelEdgeResource, informer: informers.channelEdges },
      ],
    }),
    createExpiryReconciler({
      ...common,
      name: 'token',
      definition: tokenResource,
      informer: tokens,
      expiresMs: (token) => tokenExpiryMs(token, init.tokenGraceMs),
    }),
    createExpiryReconciler({
      ...common,
      name: 'event',
      definition: eventResource,
      informer: informers.events,
      expiresMs: (event) => eventExpiryMs(event, init.eventTtlMs),
    }),
    createExpiryReconciler({
      ...common,
      name: 'remediation-expiry',
      definition: remediationResource,
      informer: informers.remediations,
      expiresMs: remediationExpiryMs,
    }),
    createExpiryReconciler({
      ...common,
      name: 'incident-expiry',
      definition: incidentResource,
      informer: informers.incidents,
      expiresMs: incidentExpiryMs,
    }),
  ];
  const started = Promise.all(reconcilers.map((reconciler) => reconciler.started)).then(
    () => undefined,
  );
  started.catch(() => undefined);
  return {
    informers,
    started,
    explainDelivery: (name) => delivery.explain(name),
    explainSegment: (name) => segment.explain(name),
    explainInstall(name) {
      const install = installs.get(name);
      return install === undefined
        ? undefined
        : explainInstall(install, devices.get(install.spec.device));
    },
    depths: () => Object.fromEntries(reconcilers.map(({ name, depth }) => [name, depth])),
    async [Symbol.asyncDispose]() {
      await Promise.all(reconcilers.map((reconciler) => reconciler[Symbol.asyncDispose]()));
      await events[Symbol.asyncDispose]();
      await informers[Symbol.asyncDispose]();
    },
  };
}
