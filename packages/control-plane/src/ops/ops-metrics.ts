import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { OpsMetrics } from '@tapline/opsbot';

/** What is counted of OpsBot; remediations are counted by their phase where they are kept. */
export function createOpsMetrics(registry: Registry): OpsMetrics & {
  source(phases: () => Readonly<Record<string, number>>): void;
} {
  const registers = [registry];
  const decisions = new Histogram({
    name: 'tapline_ops_decision_seconds',
    help: 'From when a fault was heard of until it was decided what is done about it.',
    labelNames: ['outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const signals = new Counter({
    name: 'tapline_ops_signals_total',
    help: 'What OpsBot was told, by who told it.',
    labelNames: ['source'],
    registers,
  });
  const epoch = new Gauge({
    name: 'tapline_ops_epoch',
    help: 'Epoch under which this replica leads; 0 where it does not.',
    registers,
  });
  const source: { phases?: () => Readonly<Record<string, number>> } = {};
  const remediations: Gauge<'phase'> = new Gauge({
    name: 'tapline_ops_remediations',
    help: 'Remediations that are kept, by phase.',
    labelNames: ['phase'],
    registers,
    collect(): void {
      remediations.reset();
      for (const [phase, count] of Object.entries(source.phases?.() ?? {})) {
        remediations.set({ phase }, count);
      }
    },
  });
  return {
    decision: ({ seconds, outcome }) =>
      decisions.observe({ outcome: outcome === 'begun' ? 'begun' : 'held' }, seconds),
    signal: (name) => signals.inc({ source: name }),
    leading: (value) => epoch.set(value ?? 0),
    source(phases) {
      source.phases = phases;
    },
  };
}
