import { targetText } from '../fleet.ts';
import type { AskState } from './answer-question.ts';
import { namedTargets } from './named-targets.ts';
import type { Intent } from './parse-question.ts';

/** An instant query of Prometheus, and what each of its series says. */
export interface MetricQuery {
  readonly expr: string;
  readonly says: (sample: MetricSample) => string;
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Whatever is asked, so many are sent: each looks up series by name, and none goes back in time. */
const maxQueries = 6;

/**
 * What Prometheus knows that a question is about. Names are of objects that are there, and are quoted;
 * the expressions are these and no others, so a question costs what is known before it is asked.
 */
export function metricQueries(intent: Intent, state: AskState): readonly MetricQuery[] {
  return queriesOf(intent, state).slice(0, maxQueries);
}

function queriesOf(intent: Intent, state: AskState): readonly MetricQuery[] {
  switch (intent.kind) {
    case 'wrong':
      return intent.subject === undefined
        ? [firing('')]
        : namedTargets(intent.subject, state).flatMap(({ kind, name }) => [
            firing(`,${kind.toLowerCase()}=${quoted(name)}`),
            ...aboutTarget(kind, name),
          ]);
    case 'how-fast':
      return [
        {
          expr: 'site:tapline_stage_duration_seconds:p99_rate5m > 0',
          says: ({ labels, value }) =>
            `stage ${labels['stage'] ?? ''} took ${value.toFixed(3)} s at p99 in the last five minutes`,
        },
      ];
    default:
      return [];
  }
}

function firing(more: string): MetricQuery {
  return {
    expr: `ALERTS{alertstate="firing",product="tapline"${more}}`,
    says: ({ labels }) => `alert ${labels['alertname'] ?? ''} is firing${aboutText(labels)}`,
  };
}

function aboutText(labels: Readonly<Record<string, string>>): string {
  const kinds = ['Channel', 'Segment', 'Workload', 'Node', 'Device', 'Delivery'];
  const found = kinds.find((kind) => labels[kind.toLowerCase()] !== undefined);
  return found === undefined
    ? ''
    : ` for ${targetText({ kind: found, name: labels[found.toLowerCase()] ?? '' })}`;
}

function aboutTarget(kind: string, name: string): readonly MetricQuery[] {
  if (kind === 'Channel') {
    const of = `{channel=${quoted(name)}}`;
    return [
      {
        expr: `tapline_channel_hit_ratio${of}`,
        says: ({ value }) => `caches answer ${(value * 100).toFixed(1)} % of what players ask`,
      },
      {
        expr: `tapline_channel_first_segment_seconds${of}`,
        says: ({ value }) => `the first segment takes ${value.toFixed(3)} s at the slowest edge`,
      },
      {
        expr: `tapline_channel_behind_seconds${of} > 0`,
        says: ({ value }) => `its playlist has stood still for ${value} s longer than it may`,
      },
    ];
  }
  if (kind === 'Segment') {
    return [
      {
        expr: `tapline_segment_failed_nodes{segment=${quoted(name)}}`,
        says: ({ value }) => `${value} nodes could not apply it`,
      },
    ];
  }
  return [];
}

/** As a string of PromQL; names of objects need none of it, and nothing else comes here. */
function quoted(name: string): string {
  return JSON.stringify(name);
}
