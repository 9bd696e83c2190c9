import { exposition, type MetricJson, type MetricsFormat } from '@tapline/telemetry';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the server counts about itself. Labels are bounded: verbs, kinds and codes. */
export interface ApiMetrics {
  observe(verb: string, resource: string, code: number, seconds: number): void;
  watchEnded(): void;
  text(format: MetricsFormat): Promise<string>;
}

export function createApiMetrics(watchers: () => number): ApiMetrics {
  const registry = new Registry();
  const registers = [registry];
  const seconds = new Histogram({
    name: 'tapline_api_request_duration_seconds',
    help: 'Time to answer a request; watches and streams are not among them.',
    labelNames: ['verb', 'resource', 'code'],
    buckets: [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10],
    registers,
  });
  const slow = new Counter({
    name: 'tapline_api_slow_watches_total',
    help: 'Watches that ended because the client did not read.',
    registers,
  });
  const open = new Gauge({
    name: 'tapline_api_watches',
    help: 'Watches under way.',
    registers,
    collect() {
      this.set(watchers());
    },
  });
  return {
    observe: (verb, resource, code, time) => {
      seconds.observe({ verb, resource, code }, time);
    },
    watchEnded: () => slow.inc(),
    text: async (format) => {
      open.set(watchers());
      const all = (await registry.getMetricsAsJSON()) as unknown as readonly MetricJson[];
      return exposition(all, format);
    },
  };
}
