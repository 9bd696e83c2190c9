import { agentPlatform } from './agent-platform.ts';
import type { AgentConfig } from './agent-config.ts';
import { type MetricsServer, startMetricsServer } from './metrics-server.ts';
import type { PrometheusMetrics } from './prometheus-metrics.ts';

export async function openMetrics(
  config: AgentConfig,
  { device, isReady }: { readonly device: string; readonly isReady: () => boolean },
): Promise<{ readonly metrics?: PrometheusMetrics; readonly server?: MetricsServer }> {
  if (config.metricsPort === undefined) return {};
  // Loaded only where somebody scrapes: an agent at rest stays small.
  const { createPrometheusMetrics } = await import('./prometheus-metrics.ts');
  const metrics = createPrometheusMetrics({
    version: config.version,
    device,
    platform: agentPlatform(config.runtime),
  });
  const server = await startMetricsServer({ port: config.metricsPort, metrics, isReady });
  return { metrics, server };
}
