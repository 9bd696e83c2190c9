import {
  exposition,
  expositionEnd,
  type MetricJson,
  type MetricsFormat,
  type Series,
  seriesOf,
} from '@tapline/telemetry';
import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  Registry,
} from 'prom-client';
import type { AgentMetrics } from './agent-metrics.ts';
import type { SegmentAgent } from './segments/segment-agent.ts';
import { createSegmentGauges } from './segments/segment-gauges.ts';

// From 100 µs: a warm start takes milliseconds, a cold fetch minutes.
const stageBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30, 60, 300,
];

/** A device's own, and of its process what says whether it is well; a fleet has all of it a thousand times. */
const sentPrefixes = ['tapline_', 'process_cpu_seconds_total', 'process_resident_memory_bytes'];

export interface PrometheusMetrics extends AgentMetrics {
  setConnected(connected: boolean): void;
  /** Where the counters of segments are read when somebody asks. */
  setSegments(read: SegmentAgent['metrics']): void;
  exposition(format: MetricsFormat): Promise<string>;
  /** What is sent of them, as series of this device. */
  series(atMs: number): Promise<readonly Series[]>;
}

/** The agent's metrics in Prometheus's form, in a registry of their own. */
export function createPrometheusMetrics(about: {
  readonly version: string;
  readonly device: string;
  readonly platform: string;
}): PrometheusMetrics {
  const { version, device, platform } = about;
  const registry = new Registry();
  const registers = [registry];
  // prom-client keeps exemplars for metrics of such a registry only.
  const traced = new Registry<OpenMetricsContentType>();
  traced.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  const build = new Gauge({
    name: 'tapline_build_info',
    help: 'Version of this program.',
    labelNames: ['version'],
    registers,
  });
  build.set({ version }, 1);
  // What identifies the device stands here once and is joined to the others, not repeated in each.
  const info = new Gauge({
    name: 'tapline_device_info',
    help: 'The device that this agent is of.',
    labelNames: ['device', 'platform'],
    registers,
  });
  info.set({ device, platform }, 1);
  // The labels of exemplars are typed with those of series.
  const stages = new Histogram<'stage' | 'trace_id'>({
    name: 'tapline_stage_duration_seconds',
    help: 'Time in each stage of an install that became ready.',
    labelNames: ['stage'],
    buckets: stageBuckets,
    enableExemplars: true,
    registers: [traced],
  });
  const outcomes = new Counter({
    name: 'tapline_installs_total',
    help: 'Installs by how they ended.',
    labelNames: ['outcome'],
    registers,
  });
  const fetched = new Counter({
    name: 'tapline_fetched_bytes_total',
    help: 'Bytes of images that came over the network.',
    registers,
  });
  const restarts = new Counter({
    name: 'tapline_restarts_total',
    help: 'Programs that were started again.',
    registers,
  });
  const connected = new Gauge({
    name: 'tapline_session_connected',
    help: 'Whether the session with the control plane is open.',
    registers,
  });
  const all = async (): Promise<readonly MetricJson[]> =>
    [
      await registry.getMetricsAsJSON(),
      await traced.getMetricsAsJSON(),
    ].flat() as unknown as readonly MetricJson[];
  return {
    observeStage(stage, value, traceId) {
      const exemplarLabels = traceId === undefined ? {} : { trace_id: traceId };
      stages.observe({ labels: { stage }, value, exemplarLabels });
    },
    countOutcome: (outcome) => outcomes.inc({ outcome }),
    addFetchedBytes: (bytes) => fetched.inc(bytes),
    countRestart: () => restarts.inc(),
    setSegments: (read) => createSegmentGauges(registry, read),
    setConnected: (is) => connected.set(is ? 1 : 0),
    exposition: async (format) => `${exposition(await all(), format)}${expositionEnd[format]}`,
    series: async (atMs) =>
      seriesOf(await all(), {
        atMs,
        identity: { instance: device, job: 'tapline-agents' },
        prefixes: sentPrefixes,
      }),
  };
}
