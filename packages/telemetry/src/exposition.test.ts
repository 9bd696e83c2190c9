import { expect, test } from 'vitest';
import { exposition, type MetricJson, metricsFormat } from './exposition.ts';
import { seriesOf } from './series-of.ts';

const exemplar = { labelSet: { trace_id: 'ab12' }, value: 0.02, timestamp: 1_800_000_000.5 };
const metrics: readonly MetricJson[] = [
  {
    name: 'tapline_installs_total',
    help: 'Installs by\nhow they ended.',
    type: 'counter',
    values: [{ value: 2, labels: { outcome: 'a "good" \\ one' } }],
  },
  {
    name: 'tapline_stage_seconds',
    help: 'Time.',
    type: 'histogram',
    values: [
      { value: 1, labels: { le: 0.025 }, metricName: 'tapline_stage_seconds_bucket', exemplar },
      { value: 1, labels: { le: '+Inf' }, metricName: 'tapline_stage_seconds_bucket' },
      { value: 0.02, labels: {}, metricName: 'tapline_stage_seconds_sum' },
    ],
  },
  { name: 'nodejs_heap', help: 'Heap.', type: 'gauge', values: [{ value: 5, labels: {} }] },
];

test('a family of counters has no suffix, its samples have, and an exemplar is behind its bucket', () => {
  expect(exposition(metrics, 'open')).toBe(`# HELP tapline_installs Installs by\\nhow they ended.
# TYPE tapline_installs counter
tapline_installs_total{outcome="a \\"good\\" \\\\ one"} 2
# HELP tapline_stage_seconds Time.
# TYPE tapline_stage_seconds histogram
tapline_stage_seconds_bucket{le="0.025"} 1 # {trace_id="ab12"} 0.02 1800000000.5
tapline_stage_seconds_bucket{le="+Inf"} 1
tapline_stage_seconds_sum 0.02
# HELP nodejs_heap Heap.
# TYPE nodejs_heap gauge
nodejs_heap 5
`);
});

test('in Prometheus’s own text names stay, and exemplars are left out', () => {
  const text = exposition(metrics, 'text');
  expect(text).toContain('# TYPE tapline_installs_total counter\n');
  expect(text).not.toContain('trace_id');
  expect(metricsFormat('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')).toBe('open');
  expect(metricsFormat('text/plain')).toBe('text');
  expect(metricsFormat(undefined)).toBe('text');
});

test('series have the labels of who they are of, which no label of theirs replaces', () => {
  const found = seriesOf(metrics, {
    atMs: 5,
    identity: { instance: 'edge-1' },
    prefixes: ['tapline_'],
  });
  expect(found).toHaveLength(4);
  expect(found[0]).toEqual({
    labels: {
      __name__: 'tapline_installs_total',
      outcome: 'a "good" \\ one',
      instance: 'edge-1',
    },
    value: 2,
    atMs: 5,
  });
  expect(found[1]).toMatchObject({
    labels: { __name__: 'tapline_stage_seconds_bucket', le: '0.025' },
    exemplar: { labels: { trace_id: 'ab12' }, value: 0.02, atMs: 1_800_000_000_500 },
  });
});
