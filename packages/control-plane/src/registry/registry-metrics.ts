import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RegistryAdmin, RegistryObserver, TokenEvent } from '@tapline/registry';

/** What is counted around the embedded registry. */
export interface RegistryMetrics {
  token(outcome: TokenEvent['outcome']): void;
  readonly observer: RegistryObserver;
}

/** `usage` is asked when somebody looks at the metrics; undefined while the registry is opened. */
export function createRegistryMetrics(
  registry: Registry,
  usage: () => ReturnType<RegistryAdmin['usage']> | undefined,
): RegistryMetrics {
  const registers = [registry];
  const tokens = new Counter({
    name: 'tapline_registry_tokens_total',
    help: 'Answers of the token server of the registry; limited also counts logins at the registry.',
    labelNames: ['outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'tapline_registry_request_duration_seconds',
    help: 'Time until a request to the registry was answered, with its body.',
    labelNames: ['route', 'method', 'code'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10, 60],
    registers,
  });
  const bytes = new Counter({
    name: 'tapline_registry_bytes_total',
    help: 'Content that was received and sent.',
    labelNames: ['direction'],
    registers,
  });
  const collected = new Counter({
    name: 'tapline_registry_collected_total',
    help: 'What garbage collection removed.',
    labelNames: ['what'],
    registers,
  });
  const collections = new Histogram({
    name: 'tapline_registry_collection_duration_seconds',
    help: 'Time of a garbage collection.',
    buckets: [0.01, 0.1, 1, 10, 60, 600],
    registers,
  });
  const scrubbed = new Counter({
    name: 'tapline_registry_scrubbed_total',
    help: 'Content that scrubs found damaged or missing, by what came of it.',
    labelNames: ['found', 'outcome'],
    registers,
  });
  const storage: Gauge<'what'> = new Gauge({
    name: 'tapline_registry_storage',
    help: 'What the registry holds: numbers of things, and bytes where the name says so.',
    labelNames: ['what'],
    registers,
    async collect(): Promise<void> {
      const now = await usage();
      if (now === undefined) return;
      storage.set({ what: 'repositories' }, now.repositories);
      storage.set({ what: 'tags' }, now.tags);
      storage.set({ what: 'manifests' }, now.manifests);
      storage.set({ what: 'blobs' }, now.blobs);
      storage.set({ what: 'blob_bytes' }, now.bytes);
      storage.set({ what: 'uploads' }, now.uploads);
      storage.set({ what: 'upload_bytes' }, now.uploadBytes);
      storage.set({ what: 'free_bytes' }, now.freeBytes);
    },
  });
  return {
    token: (outcome) => tokens.inc({ outcome }),
    observer: {
      answered: ({ route, method, code, seconds: time }) =>
        seconds.observe({ route, method, code }, time),
      received: (count) => bytes.inc({ direction: 'received' }, count),
      sent: (count) => bytes.inc({ direction: 'sent' }, count),
      collected(report) {
        collections.observe(report.durationMs / 1000);
        collected.inc({ what: 'manifests' }, report.manifests);
        collected.inc({ what: 'links' }, report.links);
        collected.inc({ what: 'blobs' }, report.blobs);
        collected.inc({ what: 'bytes' }, report.bytes);
        collected.inc({ what: 'uploads' }, report.uploads);
      },
      scrubbed(event) {
        if (event.kind !== 'damaged' && event.kind !== 'missing') return;
        scrubbed.inc({ found: event.kind, outcome: event.outcome });
      },
    },
  };
}
