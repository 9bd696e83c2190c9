import type { Dashboard, Panel } from './panel.ts';

const stage = 'tapline_stage_duration_seconds';
const site = { name: 'site', label: 'Site', metric: 'site:up:avg' };
const instance = { name: 'instance', label: 'Node', metric: 'tapline_device_info' };
const onSite = '{site=~"$site"}';
const channel = { name: 'channel', label: 'Channel', metric: 'tapline_channel_edges' };
const onChannel = '{channel=~"$channel"}';
const onNode = '{instance=~"$instance"}';

/** From the whole fleet down to one node; uids are what alerts link to. */
export const dashboards: readonly Dashboard[] = [
  {
    uid: 'tapline-fleet',
    title: 'Tapline: fleet',
    description: 'All sites, for the Prometheus over them.',
    variables: [],
    panels: [
      stat('Devices', 'Connected, over all sites.', 'global:tapline_connected_devices:sum'),
      stat('Sites', 'Heard of by the Prometheus over them.', 'global:sites:count'),
      stat(
        'Deliveries to devices',
        'Installs that became ready since control planes started.',
        'global:tapline_stage_duration_seconds_count:sum{stage="ready"}',
      ),
      stat(
        'Alerts',
        'That fire now.',
        'count(ALERTS{product="tapline",alertstate="firing"}) or vector(0)',
      ),
      lines('Stages of deliveries, p99', 'Over all sites, from the buckets of each.', 's', [
        [`global:${stage}:p99_rate5m`, '{{stage}}'],
      ]),
      lines(
        'Connected devices',
        'A step down at one site is a network, at all a release.',
        'short',
        [['site:tapline_connected_devices:sum', '{{site}}']],
      ),
      lines(
        'Ready at p99, by site',
        'A site that is slower than others has a reason of its own.',
        's',
        [[`site:${stage}:p99_rate5m{stage="ready"}`, '{{site}}']],
      ),
      lines('Sites that answer', 'Jobs of each site: 1 is all, 0 none.', 'percentunit', [
        ['site:up:avg', '{{site}} {{job}}'],
      ]),
    ],
  },
  {
    uid: 'tapline-site',
    title: 'Tapline: site',
    description: 'One site: its control plane, registry and how it is kept in step.',
    variables: [],
    panels: [
      stat('Devices', 'Connected now.', 'sum(tapline_connected_devices)'),
      stat('Control planes', 'That answer.', 'sum(up{job="tapline-control-plane"})'),
      stat(
        'Registry, free',
        'Space left for images.',
        'min(tapline_registry_storage{what="free_bytes"})',
        'bytes',
      ),
      stat('Icinga', '1 while its events are followed.', 'min(tapline_icinga_stream_live)', 'bool'),
      lines('Passes of reconcilers', 'By how they ended; errors are tried again.', 'reqps', [
        ['site:tapline_reconcile:rate5m', '{{reconciler}} {{outcome}}'],
      ]),
      lines(
        'Objects that wait',
        'A queue that only grows is more change than one process can do.',
        'short',
        [['site:tapline_reconcile_queue_depth:sum', '{{reconciler}}']],
      ),
      lines('API, p99', 'Time to answer a request; watches are not among them.', 's', [
        ['site:tapline_api_request_duration_seconds:p99_rate5m', 'all'],
      ]),
      lines('API, errors', 'Share of requests that end in 5xx.', 'percentunit', [
        ['site:tapline_api_request_errors:ratio_rate5m', 'all'],
      ]),
      lines('Registry, bytes', 'Content received and sent.', 'Bps', [
        ['sum by (direction) (rate(tapline_registry_bytes_total[5m]))', '{{direction}}'],
      ]),
      lines('Replication', 'Tasks that wait or are under way.', 'short', [
        ['tapline_replication_backlog_tasks', '{{policy}}'],
      ]),
      lines(
        'Hosts in Icinga',
        'Registered ought to be wanted, problem ought to be none.',
        'short',
        [['tapline_icinga_hosts', '{{state}}']],
      ),
      lines('Watches', 'Open ones: each device has a few.', 'short', [
        ['tapline_api_watches', 'open'],
      ]),
    ],
  },
  {
    uid: 'tapline-packages',
    title: 'Tapline: packages',
    description: 'Where the time of deliveries goes, stage by stage.',
    variables: [site],
    panels: [
      {
        kind: 'bargauge',
        title: 'Waterfall',
        description:
          'Mean time of each stage over the last hour, in the order in which they happen.',
        unit: 's',
        width: 24,
        queries: waterfall([
          'resolved',
          'built',
          'published',
          'notified',
          'pulled',
          'unpacked',
          'started',
          'ready',
        ]),
      },
      lines('Stages, p50', 'What a delivery usually takes.', 's', [
        [`site:${stage}:p50_rate5m${onSite}`, '{{site}} {{stage}}'],
      ]),
      lines('Stages, p99', 'What the slowest take.', 's', [
        [`site:${stage}:p99_rate5m${onSite}`, '{{site}} {{stage}}'],
      ]),
      lines('Installs that became ready', 'By site.', 'reqps', [
        [`rate(site:${stage}_count:sum{stage="ready",site=~"$site"}[5m])`, '{{site}}'],
      ]),
      lines('Packages built', 'By site; a build is needed once for each version.', 'reqps', [
        [`rate(site:${stage}_count:sum{stage="built",site=~"$site"}[5m])`, '{{site}}'],
      ]),
    ],
  },
  {
    uid: 'tapline-channel',
    title: 'Tapline: channel',
    description: 'What players get of a channel, and how much of it the caches answer.',
    variables: [channel],
    panels: [
      stat(
        'Hit ratio',
        'The worst channel: of what players asked lately; nothing while few ask.',
        `min(tapline_channel_hit_ratio${onChannel})`,
        'percentunit',
      ),
      stat('Edges', 'That serve.', `sum(tapline_channel_edges${onChannel})`),
      stat(
        'First segment',
        'From the slowest edge: playlists and the newest segment.',
        `max(tapline_channel_first_segment_seconds${onChannel})`,
        's',
      ),
      stat(
        'Late',
        'For how long the worst live playlist has stood still, beyond what it may.',
        `max(tapline_channel_behind_seconds${onChannel})`,
        's',
      ),
      lines(
        'Hit ratio',
        'A step down is a flush, a new edge, or an origin that says no-store.',
        'percentunit',
        [
          [`tapline_channel_hit_ratio${onChannel}`, '{{channel}}'],
          [`tapline_channel_hit_ratio_objective${onChannel}`, '{{channel}} is to have'],
        ],
      ),
      lines('First segment', 'What a player waits for that begins now.', 's', [
        [`tapline_channel_first_segment_seconds${onChannel}`, '{{channel}}'],
        [`tapline_channel_first_segment_objective_seconds${onChannel}`, '{{channel}} may take'],
      ]),
      lines(
        'Late',
        'More than nothing: the origin does not go on, or an edge does not hear of it.',
        's',
        [[`tapline_channel_behind_seconds${onChannel}`, '{{channel}}']],
      ),
      lines('Edges', 'That serve, and of those the slow ones.', 'short', [
        [`tapline_channel_edges${onChannel}`, '{{channel}} serve'],
        [`tapline_channel_slow_edges${onChannel}`, '{{channel}} slow'],
      ]),
      lines('Stages, p99', 'From the spec until players can begin.', 's', [
        [`site:${stage}:p99_rate5m{stage=~"scheduled|cached|primed|validated"}`, '{{stage}}'],
      ]),
    ],
  },
  {
    uid: 'tapline-segments',
    title: 'Tapline: segments',
    description: 'How fast segments stand, and what goes through them on nodes.',
    variables: [instance],
    panels: [
      lines('Stages of segments, p99', 'From the change until all nodes have verified it.', 's', [
        [`site:${stage}:p99_rate5m{stage=~"allocated|applied|verified"}`, '{{stage}}'],
      ]),
      lines('Segments on nodes', 'That the node has.', 'short', [
        [`tapline_segments${onNode}`, '{{instance}}'],
      ]),
      lines('Bytes', 'To and from other nodes.', 'Bps', [
        [
          `sum by (instance, segment) (rate(tapline_segment_bytes_total${onNode}[5m]))`,
          '{{instance}} {{segment}}',
        ],
      ]),
      lines('Drops', 'By the policy: somebody tries what no policy allows.', 'reqps', [
        [
          `sum by (instance, reason) (rate(tapline_segment_drops_total${onNode}[5m]))`,
          '{{instance}} {{reason}}',
        ],
      ]),
      lines(
        'Changes by others that were mended',
        'Anything but zero: something else configures the node.',
        'reqps',
        [[`sum by (instance) (rate(tapline_segment_drifts_total${onNode}[5m]))`, '{{instance}}']],
      ),
      lines(
        'Age of keys',
        'Grows until the next epoch; one that only grows was not rotated.',
        's',
        [
          [
            `max by (instance, use) (tapline_segment_key_age_seconds${onNode})`,
            '{{instance}} {{use}}',
          ],
        ],
      ),
    ],
  },
  {
    uid: 'tapline-node',
    title: 'Tapline: node',
    description: 'One agent, where its metrics are scraped.',
    variables: [instance],
    panels: [
      stat(
        'Session',
        '1 while it is connected.',
        `min(tapline_session_connected${onNode})`,
        'bool',
      ),
      stat(
        'Programs started again',
        'In the last hour.',
        `sum(increase(tapline_restarts_total${onNode}[1h]))`,
      ),
      {
        kind: 'table',
        title: 'Devices',
        description: 'Which devices these are.',
        unit: 'short',
        queries: [{ expr: `tapline_device_info${onNode}`, legend: '{{device}}' }],
      },
      lines('Installs', 'By how they ended.', 'reqps', [
        [
          `sum by (instance, outcome) (rate(tapline_installs_total${onNode}[5m]))`,
          '{{instance}} {{outcome}}',
        ],
      ]),
      lines('Fetched', 'Bytes of images that came over the network.', 'Bps', [
        [`sum by (instance) (rate(tapline_fetched_bytes_total${onNode}[5m]))`, '{{instance}}'],
      ]),
      lines('Stages on the node, p99', 'Of installs that became ready.', 's', [
        [
          `histogram_quantile(0.99, sum by (instance, stage, le) (rate(${stage}_bucket{job="tapline-agents",instance=~"$instance"}[5m])))`,
          '{{instance}} {{stage}}',
        ],
      ]),
    ],
  },
  {
    uid: 'tapline-opsbot',
    title: 'Tapline: OpsBot',
    description: 'What it heard, how fast it decided, what it did and what it was kept from.',
    variables: [],
    panels: [
      stat('Leads', 'Replicas that lead: one.', 'count(tapline_ops_epoch > 0) or vector(0)'),
      stat(
        'Under way',
        'Remediations that are being carried out.',
        'sum(tapline_ops_remediations{phase="Running"}) or vector(0)',
      ),
      stat(
        'Wait for a person',
        'Remediations that somebody has to approve.',
        'sum(tapline_ops_remediations{phase="AwaitingApproval"}) or vector(0)',
      ),
      stat(
        'Event to decision, p95',
        'Over an hour.',
        'histogram_quantile(0.95, sum by (le) (rate(tapline_ops_decision_seconds_bucket[1h])))',
        's',
      ),
      lines('Heard', 'By who told it.', 'reqps', [
        ['sum by (source) (rate(tapline_ops_signals_total[5m]))', '{{source}}'],
      ]),
      lines('Decided', 'Begun, or held by a guard rail.', 'reqps', [
        ['sum by (outcome) (rate(tapline_ops_decision_seconds_count[5m]))', '{{outcome}}'],
      ]),
      lines('Event to decision', 'From when a fault was heard of.', 's', [
        [
          'histogram_quantile(0.5, sum by (le) (rate(tapline_ops_decision_seconds_bucket[5m])))',
          'p50',
        ],
        [
          'histogram_quantile(0.95, sum by (le) (rate(tapline_ops_decision_seconds_bucket[5m])))',
          'p95',
        ],
      ]),
      lines('Remediations', 'That are kept, by phase.', 'short', [
        ['sum by (phase) (tapline_ops_remediations)', '{{phase}}'],
      ]),
    ],
  },
];

function lines(
  title: string,
  description: string,
  unit: Panel['unit'],
  queries: readonly (readonly [expr: string, legend: string])[],
): Panel {
  const named = queries.map(([expr, legend]) => ({ expr, legend }));
  return { kind: 'timeseries', title, description, unit, queries: named };
}

function stat(
  title: string,
  description: string,
  expr: string,
  unit: Panel['unit'] = 'short',
): Panel {
  return { kind: 'stat', title, description, unit, width: 6, queries: [{ expr, legend: title }] };
}

/** A bar for each stage, in order: sums and counts of sites, so that means add up rightly. */
function waterfall(stages: readonly string[]): Panel['queries'] {
  return stages.map((name) => ({
    expr: `${lastHour(name, 'sum')} / ${lastHour(name, 'count')}`,
    legend: name,
  }));
}

function lastHour(name: string, part: 'sum' | 'count'): string {
  return `sum(increase(site:${stage}_${part}:sum{stage="${name}",site=~"$site"}[1h]))`;
}
