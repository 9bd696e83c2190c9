import type { RuleGroup } from './rule.ts';

const stage = 'tapline_stage_duration_seconds';

/** What is computed over all sites, out of what they computed of themselves. */
export const globalRules: readonly RuleGroup[] = [
  {
    name: 'tapline-global',
    rules: [
      { record: `global:${stage}_sum:sum`, expr: `sum by (stage) (site:${stage}_sum:sum)` },
      { record: `global:${stage}_count:sum`, expr: `sum by (stage) (site:${stage}_count:sum)` },
      {
        record: `global:${stage}_bucket:rate5m`,
        expr: `sum by (stage, le) (site:${stage}_bucket:rate5m)`,
      },
      {
        record: `global:${stage}:p99_rate5m`,
        expr: `histogram_quantile(0.99, global:${stage}_bucket:rate5m)`,
      },
      {
        record: 'global:tapline_connected_devices:sum',
        expr: 'sum(site:tapline_connected_devices:sum)',
      },
      { record: 'global:sites:count', expr: 'count(up{job="tapline-sites"} == 1) or vector(0)' },
    ],
  },
  {
    name: 'tapline-global-alerts',
    rules: [
      {
        alert: 'TaplineSiteGone',
        expr: 'up{job="tapline-sites"} == 0',
        for: '2m',
        severity: 'critical',
        summary: 'Nothing is heard of site {{ $labels.site }}.',
        runbook: 'site-gone',
        dashboard: 'tapline-fleet',
      },
    ],
  },
];
