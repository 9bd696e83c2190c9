import type { Clock, Log, Rng } from '@tapline/base';
import { serviceHost } from '@tapline/gateway';
import type { HttpTransport } from '@tapline/registry';
import type { AgentConfig } from '../agent-config.ts';
import type { PrometheusMetrics } from '../prometheus-metrics.ts';
import type { Telemetry } from './start-telemetry.ts';

/** Loaded after what the device is there for has begun. */
export async function openTelemetry(
  config: AgentConfig,
  init: {
    readonly device: string;
    readonly metrics: PrometheusMetrics | undefined;
    readonly transport: () => HttpTransport;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly log: Log;
  },
): Promise<Telemetry> {
  const { metrics } = init;
  const { startTelemetry } = await import('./start-telemetry.ts');
  return await startTelemetry({
    ...init,
    intervalMs: metrics === undefined ? 0 : (config.pushMetricsMs ?? 0),
    series: async (atMs) => (await metrics?.series(atMs)) ?? [],
    url: `http://${serviceHost('metrics')}`,
  });
}
