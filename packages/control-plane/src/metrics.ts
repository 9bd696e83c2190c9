import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  Registry,
} from 'prom-client';
import type { ReconcileMetrics } from '@tapline/reconcile';
import type { StageTimes, Install } from '@tapline/resources';
import { exposition, type MetricJson, type MetricsFormat } from '@tapline/telemetry';
import { channelStages, segmentStages, stages } from '@tapline/resources';
import { createChannelMetrics } from './channel/channel-metrics.ts';
import {
  createMonitoringMetrics,
  type MonitoringMetrics,
} from './monitoring/monitoring-metrics.ts';
import { createOpsMetrics } from './ops/ops-metrics.ts';
import { createNeighbourMetrics, type NeighbourMetrics } from './registry/neighbour-metrics.ts';
import { createRegistryMetrics, type RegistryMetrics } from './registry/registry-metrics.ts';
import { createSegmentMetrics } from './segment/segment-metrics.ts';
import type { StageMetrics } from './stage-metrics.ts';
import { installTrace } from './telemetry/delivery-traces.ts';
import { createTelemetryMetrics, type TelemetryMetrics } from './telemetry/telemetry-metrics.ts';

/** What /metrics serves; one registry a control plane, so that two in a process do not mix. */
export interface ControlPlaneMetrics {
  readonly reconcile: ReconcileMetrics;
  readonly stages: StageMetrics;
  readonly registry: RegistryMetrics;
  readonly neighbours: NeighbourMetrics;
  readonly monitoring: MonitoringMetrics;
  readonly channels: ReturnType<typeof createChannelMetrics>;
  readonly segments: ReturnType<typeof createSegmentMetrics>;
  readonly ops: ReturnType<typeof createOpsMetrics>;
  readonly telemetry: TelemetryMetrics;
  text(format: MetricsFormat): Promise<string>;
}

/** Values that are read when somebody asks. */
export interface MetricSources {
  readonly version: string;
  readonly storeRevision: () => number;
  readonly connectedDevices: () => number;
  readonly queueDepths: () => Readonly<Record<string, number>>;
  readonly registryUsage?: Parameters<typeof createRegistryMetrics>[1];
}

// A warm delivery takes milliseconds and a cold one minutes: each step is about a factor of 2.5.
const stageBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30, 60, 300,
];

export function createMetrics(sources: MetricSources): ControlPlaneMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  // prom-client keeps exemplars for metrics of such a registry only.
  const traced = new Registry<OpenMetricsContentType>();
  traced.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  // The labels of exemplars are typed with those of series.
  const stageSeconds = new Histogram<'stage' | 'trace_id'>({
    name: 'tapline_stage_duration_seconds',
    help: 'Time in each stage of a delivery, of a segment or of a channel.',
    labelNames: ['stage'],
    buckets: stageBuckets,
    enableExemplars: true,
    registers: [traced],
  });
  const passSeconds = new Histogram({
    name: 'tapline_reconcile_duration_seconds',
    help: 'Time of a pass of a reconciler over one object.',
    labelNames: ['reconciler'],
    buckets: stageBuckets,
    registers,
  });
  const passes = new Counter({
    name: 'tapline_reconcile_total',
    help: 'Passes of a reconciler, by how they ended.',
    labelNames: ['reconciler', 'outcome'],
    registers,
  });
  const build = new Gauge({
    name: 'tapline_build_info',
    help: 'The version that runs; always 1.',
    labelNames: ['version'],
    registers,
  });
  build.set({ version: sources.version }, 1);
  const revision: Gauge = new Gauge({
    name: 'tapline_store_revision',
    help: 'Newest durable revision of the resource store.',
    registers,
    collect(): void {
      revision.set(sources.storeRevision());
    },
  });
  const connected: Gauge = new Gauge({
    name: 'tapline_connected_devices',
    help: 'Devices whose newest session is open.',
    registers,
    collect(): void {
      connected.set(sources.connectedDevices());
    },
  });
  const depth: Gauge<'reconciler'> = new Gauge({
    name: 'tapline_reconcile_queue_depth',
    help: 'Objects that wait for a pass.',
    labelNames: ['reconciler'],
    registers,
    collect(): void {
      for (const [reconciler, waiting] of Object.entries(sources.queueDepths())) {
        depth.set({ reconciler }, waiting);
      }
    },
  });
  const known = new Set<string>([...stages, ...segmentStages, ...channelStages]);
  // A series that begins at one has no increase: the first delivery would be in no rate.
  for (const stage of known) stageSeconds.zero({ stage });
  function observe(times: StageTimes, traceId?: string): void {
    const exemplarLabels = traceId === undefined ? {} : { trace_id: traceId };
    for (const [stage, value] of Object.entries(times)) {
      // A device names its stages; only known ones become label values.
      if (known.has(stage)) stageSeconds.observe({ labels: { stage }, value, exemplarLabels });
    }
  }
  return {
    reconcile: {
      observe({ reconciler, seconds, outcome }) {
        passSeconds.observe({ reconciler }, seconds);
        passes.inc({ reconciler, outcome });
      },
    },
    stages: {
      packageBuilt: (times) => observe(times),
      segmentReady: (times) => observe(times),
      channelReady: (times) => observe(times),
      installReady(install: Install, notifiedSeconds: number) {
        const times = { ...install.status?.stages, notified: notifiedSeconds };
        observe(times, installTrace(install)?.traceId);
      },
    },
    neighbours: createNeighbourMetrics(registry),
    monitoring: createMonitoringMetrics(registry),
    channels: createChannelMetrics(registry),
    segments: createSegmentMetrics(registry),
    ops: createOpsMetrics(registry),
    registry: createRegistryMetrics(registry, sources.registryUsage ?? (() => undefined)),
    telemetry: createTelemetryMetrics(registry),
    async text(format) {
      const all = [await registry.getMetricsAsJSON(), await traced.getMetricsAsJSON()].flat();
      return exposition(all as unknown as readonly MetricJson[], format);
    },
  };
}
