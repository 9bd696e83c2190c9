import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type {
  MirrorOutcome,
  MirrorRequestKind,
  ReplicationEvent,
  ReplicationStatus,
} from '@tapline/registry';

/** What is counted of the registries around the embedded one. Policies are few, so they can be labels. */
export interface NeighbourMetrics {
  mirrored(kind: MirrorRequestKind, outcome: MirrorOutcome): void;
  mirrorFetched(bytes: number): void;
  replicated(event: ReplicationEvent): void;
  /** Where the backlog is read from when somebody asks. */
  replicationBacklog(status: () => readonly ReplicationStatus[]): void;
}

const taskBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800];

export function createNeighbourMetrics(registry: Registry): NeighbourMetrics {
  const registers = [registry];
  const mirrored = new Counter({
    name: 'tapline_registry_mirror_requests_total',
    help: 'Requests for mirrored repositories, by what was asked for and where it came from.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const fetched = new Counter({
    name: 'tapline_registry_mirror_fetched_bytes_total',
    help: 'Bytes of blobs fetched from mirrored registries.',
    registers,
  });
  const tasks = new Counter({
    name: 'tapline_replication_tasks_total',
    help: 'Tries of replication tasks, by how they ended.',
    labelNames: ['policy', 'kind', 'outcome'],
    registers,
  });
  const bytes = new Counter({
    name: 'tapline_replication_uploaded_bytes_total',
    help: 'Bytes of blobs that replication sent.',
    labelNames: ['policy'],
    registers,
  });
  const seconds = new Histogram({
    name: 'tapline_replication_task_duration_seconds',
    help: 'Time of a try of a replication task.',
    labelNames: ['policy'],
    buckets: taskBuckets,
    registers,
  });
  const source: { status?: () => readonly ReplicationStatus[] } = {};
  const backlog: Gauge<'policy'> = new Gauge({
    name: 'tapline_replication_backlog_tasks',
    help: 'Replication tasks that wait or are under way.',
    labelNames: ['policy'],
    registers,
    collect(): void {
      for (const { policy, waiting, running } of source.status?.() ?? []) {
        backlog.set({ policy: policy.name }, waiting + running);
      }
    },
  });
  return {
    mirrored: (kind, outcome) => mirrored.inc({ kind, outcome }),
    mirrorFetched: (count) => fetched.inc(count),
    replicated({ policy, kind, outcome, uploadedBytes, seconds: taken }) {
      tasks.inc({ policy, kind, outcome });
      bytes.inc({ policy }, uploadedBytes);
      seconds.observe({ policy }, taken);
    },
    replicationBacklog(status) {
      source.status = status;
    },
  };
}
