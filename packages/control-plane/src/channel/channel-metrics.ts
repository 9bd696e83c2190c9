import type { Channel } from '@tapline/resources';
import { findCondition } from '@tapline/resources';
import { Gauge, type Registry } from 'prom-client';

/** Series are by name: of more than so many nobody is told, and a Prometheus keeps its limits. */
const maxNamed = 500;

/** What players get from each channel, and what it is to be; read when somebody asks. */
export function createChannelMetrics(registry: Registry): {
  source(channels: () => readonly Channel[]): void;
} {
  const source: { channels?: () => readonly Channel[] } = {};
  const gauge = (
    name: string,
    help: string,
    of: (channel: Channel) => number | undefined,
  ): void => {
    const made: Gauge<'channel'> = new Gauge({
      name,
      help,
      labelNames: ['channel'],
      registers: [registry],
      collect(): void {
        made.reset();
        for (const channel of (source.channels?.() ?? []).slice(0, maxNamed)) {
          const value = of(channel);
          if (value !== undefined) made.set({ channel: channel.metadata.name }, value);
        }
      },
    });
  };
  gauge(
    'tapline_channel_hit_ratio',
    'Share of what players asked lately that caches answered; absent while few ask.',
    ({ status }) => {
      const judged = findCondition(status?.conditions, 'HitRatio')?.status ?? 'Unknown';
      return judged === 'Unknown' ? undefined : status?.recent?.ratio;
    },
  );
  gauge(
    'tapline_channel_hit_ratio_objective',
    'What that share is to be.',
    ({ spec: { objectives } }) => objectives.trafficHitRatio ?? objectives.hitRatio,
  );
  gauge(
    'tapline_channel_first_segment_seconds',
    'How long the slowest edge took for the playlists and the newest segment.',
    ({ status }) => status?.stream?.firstSegmentSeconds,
  );
  gauge(
    'tapline_channel_first_segment_objective_seconds',
    'How long an edge may take for that.',
    ({ spec }) => spec.objectives.firstSegmentSeconds,
  );
  gauge(
    'tapline_channel_behind_seconds',
    'How long a live playlist has stood still at the worst edge, beyond what it may.',
    ({ status }) => status?.stream?.behindSeconds,
  );
  gauge(
    'tapline_channel_slow_edges',
    'Edges from which the stream does not come in time.',
    ({ status }) => status?.edges?.filter(({ slow }) => slow === true).length,
  );
  gauge(
    'tapline_channel_memory_bytes',
    'What the edge that keeps the most of it keeps in memory.',
    ({ status }) => status?.storage?.memoryBytes,
  );
  gauge(
    'tapline_channel_disk_bytes',
    'What the edge that keeps the most of it keeps on disk.',
    ({ status }) => status?.storage?.diskBytes,
  );
  gauge('tapline_channel_edges', 'Edges that serve it.', ({ status }) => status?.counts?.serving);
  return {
    source(channels) {
      source.channels = channels;
    },
  };
}
