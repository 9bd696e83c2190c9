import { TaplineError } from '@tapline/base';
import type { OpsTarget } from '@tapline/resources';
import { z } from 'zod';
import type { Signal } from './signal.ts';

const maxAlerts = 1000;
const text = z.string().max(4096);
const time = z.iso.datetime({ offset: true });

// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config: it may grow fields.
const body = z.object({
  version: z.literal('4'),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: z.record(z.string().max(256), text),
        annotations: z.record(z.string().max(256), text).default({}),
        startsAt: time,
        endsAt: time,
        fingerprint: z.string().min(1).max(64),
      }),
    )
    .max(maxAlerts),
});

const kinds = ['Device', 'Node', 'Workload', 'Channel', 'Segment', 'Delivery'] as const;

/** The alerts of a webhook of Alertmanager, version 4. Throws `bad_request`. */
export function fromAlertmanager(value: unknown): readonly Signal[] {
  const parsed = body.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TaplineError(
      'bad_request',
      `not a webhook of Alertmanager: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
      { hint: 'have Alertmanager send it, by webhook_configs' },
    );
  }
  return parsed.data.alerts.flatMap((alert): Signal[] => {
    const { labels, annotations, status, fingerprint } = alert;
    const topic = labels['alertname'];
    if (topic === undefined) return [];
    const startsAt = Date.parse(alert.startsAt);
    const isOver = status === 'resolved';
    return [
      {
        source: 'alertmanager',
        key: `alertmanager/${fingerprint}`,
        targets: targetsOf(labels),
        topic,
        state: isOver ? 'ok' : 'firing',
        says: (annotations['summary'] ?? topic).slice(0, 1000),
        sinceMs: startsAt,
        // A firing alert has an end that has not been: its beginning is what counts.
        order: isOver ? Math.max(startsAt, Date.parse(alert.endsAt)) + 0.5 : startsAt,
        handled: false,
        flapping: false,
      },
    ];
  });
}

function targetsOf(labels: Readonly<Record<string, string>>): readonly OpsTarget[] {
  return kinds.flatMap((kind) => {
    const name = labels[kind.toLowerCase()];
    return name === undefined || name === '' || name.length > 253 ? [] : [{ kind, name }];
  });
}
