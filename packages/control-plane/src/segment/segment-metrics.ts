import type { Attachment } from '@tapline/resources';
import { Gauge, type Registry } from 'prom-client';

/** Series are by name: of more than so many nobody is told, and a Prometheus keeps its limits. */
const maxNamed = 500;

/** On how many nodes a segment could not be applied; only of those where there are some. */
export function createSegmentMetrics(registry: Registry): {
  source(attachments: () => readonly Attachment[]): void;
} {
  const source: { attachments?: () => readonly Attachment[] } = {};
  const failed: Gauge<'segment'> = new Gauge({
    name: 'tapline_segment_failed_nodes',
    help: 'Nodes that could not apply the newest version of a segment.',
    labelNames: ['segment'],
    registers: [registry],
    collect(): void {
      failed.reset();
      const counts = new Map<string, number>();
      for (const { spec, status } of source.attachments?.() ?? []) {
        if (status?.state !== 'Failed' || status.observedEpoch !== spec.epoch) continue;
        counts.set(spec.segment, (counts.get(spec.segment) ?? 0) + 1);
      }
      for (const [segment, count] of [...counts].slice(0, maxNamed)) failed.set({ segment }, count);
    },
  });
  return {
    source(attachments) {
      source.attachments = attachments;
    },
  };
}
