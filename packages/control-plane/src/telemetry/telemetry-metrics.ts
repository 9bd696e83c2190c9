import { Counter, Gauge, type Registry } from 'prom-client';

/** What devices send of themselves, as it is passed on. */
export interface TelemetryMetrics {
  request(kind: 'metrics' | 'traces', outcome: 'taken' | 'refused' | 'unavailable'): void;
  samples(count: number): void;
  spans(outcome: 'exported' | 'dropped', count: number): void;
  /** Where the number of series is read when somebody asks. */
  source(series: () => number): void;
}

export function createTelemetryMetrics(registry: Registry): TelemetryMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'tapline_telemetry_requests_total',
    help: 'What devices sent of themselves, by what it was and what became of it.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const samples = new Counter({
    name: 'tapline_telemetry_samples_total',
    help: 'Samples of devices that were passed on.',
    registers,
  });
  const spans = new Counter({
    name: 'tapline_telemetry_spans_total',
    help: 'Spans of traces, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  const source: { series?: () => number } = {};
  const series: Gauge = new Gauge({
    name: 'tapline_telemetry_series',
    help: 'Different series that devices sent within the last two hours.',
    registers,
    collect(): void {
      if (source.series !== undefined) series.set(source.series());
    },
  });
  return {
    request: (kind, outcome) => requests.inc({ kind, outcome }),
    samples: (count) => samples.inc(count),
    spans: (outcome, count) => spans.inc({ outcome }, count),
    source(read) {
      source.series = read;
    },
  };
}
