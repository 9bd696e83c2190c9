import type { MetricJson } from './exposition.ts';
import type { Series } from './remote-write/encode-write-request.ts';

/** Metrics as series of remote write, each with the labels that say whose it is. */
export function seriesOf(
  metrics: readonly MetricJson[],
  about: {
    readonly atMs: number;
    readonly identity: Readonly<Record<string, string>>;
    /** What names begin with; the rest stays where it is. */
    readonly prefixes: readonly string[];
  },
): readonly Series[] {
  const { atMs, identity, prefixes } = about;
  return metrics
    .filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)))
    .flatMap(({ name, values }) =>
      values.map(({ value, labels, metricName, exemplar }): Series => ({
        labels: {
          ...Object.fromEntries(Object.entries(labels).map(([key, is]) => [key, String(is)])),
          ...identity,
          __name__: metricName ?? name,
        },
        value,
        atMs,
        ...(exemplar !== undefined &&
          exemplar !== null && {
            exemplar: {
              labels: exemplar.labelSet,
              value: exemplar.value,
              atMs: Math.round(exemplar.timestamp * 1000),
            },
          }),
      })),
    );
}
