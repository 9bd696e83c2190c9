import type { RuleGroup } from './rule.ts';

const stage = 'tapline_stage_duration_seconds';
// Agents have the same histogram of their own stages: each is counted once.
const plane = '{job="tapline-control-plane"}';
const api = 'tapline_api_request_duration_seconds';

/**
 * What a site computes of itself; whatever begins with `site:` goes up to the global level. Nothing in
 * these is named for a device or a container, so a site is a few hundred series, however large it is.
 */
export const siteRules: readonly RuleGroup[] = [
  {
    name: 'tapline-site',
    rules: [
      { record: `site:${stage}_sum:sum`, expr: `sum by (stage) (${stage}_sum${plane})` },
      { record: `site:${stage}_count:sum`, expr: `sum by (stage) (${stage}_count${plane})` },
      {
        record: `site:${stage}_bucket:rate5m`,
        expr: `sum by (stage, le) (rate(${stage}_bucket${plane}[5m]))`,
      },
      {
        record: `site:${stage}:p50_rate5m`,
        expr: `histogram_quantile(0.5, site:${stage}_bucket:rate5m)`,
      },
      {
        record: `site:${stage}:p99_rate5m`,
        expr: `histogram_quantile(0.99, site:${stage}_bucket:rate5m)`,
      },
      { record: 'site:tapline_connected_devices:sum', expr: 'sum(tapline_connected_devices)' },
      {
        record: 'site:tapline_reconcile:rate5m',
        expr: 'sum by (reconciler, outcome) (rate(tapline_reconcile_total[5m]))',
      },
      {
        record: 'site:tapline_reconcile_errors:ratio_rate5m',
        expr: 'sum by (reconciler) (site:tapline_reconcile:rate5m{outcome="error"}) / sum by (reconciler) (site:tapline_reconcile:rate5m)',
      },
      {
        record: 'site:tapline_reconcile_queue_depth:sum',
        expr: 'sum by (reconciler) (tapline_reconcile_queue_depth)',
      },
      { record: `site:${api}_bucket:rate5m`, expr: `sum by (le) (rate(${api}_bucket[5m]))` },
      {
        record: `site:${api}:p99_rate5m`,
        expr: `histogram_quantile(0.99, site:${api}_bucket:rate5m)`,
      },
      {
        record: 'site:tapline_api_request_errors:ratio_rate5m',
        expr: `(sum(rate(${api}_count{code=~"5.."}[5m])) or vector(0)) / sum(rate(${api}_count[5m]))`,
      },
      {
        record: 'site:tapline_registry_free_bytes:min',
        expr: 'min(tapline_registry_storage{what="free_bytes"})',
      },
      {
        record: 'site:tapline_replication_backlog_tasks:sum',
        expr: 'sum(tapline_replication_backlog_tasks)',
      },
      { record: 'site:up:avg', expr: 'avg by (job) (up)' },
    ],
  },
  {
    name: 'tapline-site-alerts',
    rules: [
      {
        alert: 'TaplineControlPlaneDown',
        expr: 'up{job="tapline-control-plane"} == 0',
        for: '1m',
        severity: 'critical',
        summary: 'The control plane {{ $labels.instance }} has not answered for a minute.',
        runbook: 'control-plane-down',
        dashboard: 'tapline-site',
      },
      {
        alert: 'TaplineDevicesGone',
        expr: 'site:tapline_connected_devices:sum < 0.5 * max_over_time(site:tapline_connected_devices:sum[1h])',
        for: '2m',
        severity: 'critical',
        summary: 'Only {{ $value }} devices are connected: less than half of the last hour.',
        runbook: 'devices-gone',
        dashboard: 'tapline-site',
      },
      {
        alert: 'TaplineReconcileErrors',
        expr: 'site:tapline_reconcile_errors:ratio_rate5m > 0.05',
        for: '10m',
        severity: 'warning',
        summary:
          '{{ $value | humanizePercentage }} of the passes of {{ $labels.reconciler }} fail.',
        runbook: 'reconcile-errors',
        dashboard: 'tapline-site',
      },
      {
        alert: 'TaplineQueueLong',
        expr: 'site:tapline_reconcile_queue_depth:sum > 1000',
        for: '10m',
        severity: 'warning',
        summary: '{{ $value }} objects wait for {{ $labels.reconciler }}.',
        runbook: 'reconcile-errors',
        dashboard: 'tapline-site',
      },
      {
        alert: 'TaplineDeliverySlow',
        expr: 'site:tapline_stage_duration_seconds:p99_rate5m{stage=~"notified|unpacked|started|ready"} > 10',
        for: '10m',
        severity: 'warning',
        summary:
          'Stage {{ $labels.stage }} of deliveries takes {{ $value | humanizeDuration }} at p99.',
        runbook: 'delivery-slow',
        dashboard: 'tapline-packages',
      },
      {
        alert: 'TaplineApiErrors',
        expr: 'site:tapline_api_request_errors:ratio_rate5m > 0.01',
        for: '5m',
        severity: 'warning',
        summary: '{{ $value | humanizePercentage }} of requests to the API fail.',
        runbook: 'control-plane-down',
        dashboard: 'tapline-site',
      },
      {
        alert: 'TaplineRegistryAlmostFull',
        expr: 'site:tapline_registry_free_bytes:min < 5e9',
        for: '5m',
        severity: 'critical',
        summary: 'The registry has {{ $value | humanize1024 }}B left.',
        runbook: 'registry-full',
        dashboard: 'tapline-site',
      },
      {
        alert: 'TaplineReplicationBehind',
        expr: 'site:tapline_replication_backlog_tasks:sum > 100',
        for: '30m',
        severity: 'warning',
        summary: '{{ $value }} tasks of replication have been waiting.',
        runbook: 'replication-behind',
        dashboard: 'tapline-site',
      },
      {
        alert: 'TaplineIcingaNotFollowed',
        expr: 'tapline_icinga_stream_live == 0',
        for: '10m',
        severity: 'warning',
        summary: 'No events come from Icinga.',
        runbook: 'icinga-not-followed',
        dashboard: 'tapline-site',
      },
      {
        alert: 'TaplineIcingaIncomplete',
        expr: 'tapline_icinga_hosts{state="problem"} > 0',
        for: '10m',
        severity: 'warning',
        summary: '{{ $value }} hosts are not as wanted in Icinga.',
        runbook: 'icinga-not-followed',
        dashboard: 'tapline-site',
      },
      {
        // OpsBot acts on the channel's condition within seconds: this is for what it did not repair.
        alert: 'TaplineCacheHitRatioLow',
        expr: 'tapline_channel_hit_ratio < tapline_channel_hit_ratio_objective',
        for: '2m',
        severity: 'warning',
        summary:
          'Caches answer {{ $value | humanizePercentage }} of what players ask of channel {{ $labels.channel }}.',
        runbook: 'low-hit-ratio',
        dashboard: 'tapline-channel',
      },
      {
        alert: 'TaplineStreamSlow',
        expr: 'tapline_channel_slow_edges > 0 and tapline_channel_slow_edges >= tapline_channel_edges',
        for: '2m',
        severity: 'warning',
        summary:
          'Channel {{ $labels.channel }} comes too slowly from all {{ $value }} of its edges.',
        runbook: 'slow-stream',
        dashboard: 'tapline-channel',
      },
      {
        alert: 'TaplineSegmentBroken',
        expr: 'tapline_segment_failed_nodes > 0',
        for: '1m',
        severity: 'warning',
        summary: 'Segment {{ $labels.segment }} could not be applied on {{ $value }} nodes.',
        runbook: 'broken-segment',
        dashboard: 'tapline-segments',
      },
      {
        alert: 'TaplineSegmentStillBroken',
        expr: 'tapline_segment_failed_nodes > 0',
        for: '15m',
        severity: 'critical',
        summary:
          'Segment {{ $labels.segment }} could not be applied on {{ $value }} nodes for a quarter of an hour.',
        runbook: 'broken-segment',
        dashboard: 'tapline-segments',
      },
      {
        alert: 'TaplineTooManySeries',
        expr: 'increase(prometheus_target_scrapes_exceeded_sample_limit_total[10m]) > 0',
        for: '0m',
        severity: 'warning',
        summary: 'A target has more series than its limit, and is not scraped at all.',
        runbook: 'too-many-series',
        dashboard: 'tapline-site',
      },
    ],
  },
];
