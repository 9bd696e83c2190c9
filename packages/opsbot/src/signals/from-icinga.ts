import type { OpsTarget } from '@tapline/resources';
import type { Signal } from './signal.ts';

/** A change in Icinga, as `@tapline/monitoring` tells it. */
export interface IcingaChange {
  readonly object: { readonly host: string; readonly service?: string | undefined };
  readonly before: IcingaObjectState | undefined;
  readonly after: IcingaObjectState | undefined;
}

interface IcingaObjectState {
  readonly state: 0 | 1 | 2 | 3;
  readonly hard: boolean;
  readonly output: string;
  readonly acknowledged: boolean;
  readonly inDowntime: boolean;
  readonly flapping: boolean;
  readonly atSeconds: number;
}

const serviceStates = ['ok', 'warning', 'critical', 'unknown'] as const;
const segmentCheck = 'segment-';

/**
 * What a change in Icinga means; undefined for hosts of others. A state that Icinga does not believe
 * yet is not told: it tells again when it does.
 */
export function fromIcinga(change: IcingaChange, prefix: string): Signal | undefined {
  const { host, service } = change.object;
  if (!host.startsWith(prefix)) return undefined;
  const name = host.slice(prefix.length);
  const is = change.after ?? change.before;
  if (name === '' || is === undefined || !is.hard) return undefined;
  const key = `icinga/${name}${service === undefined ? '' : `!${service}`}`;
  // What is gone has no fault any more; the millisecond puts it after its last state.
  const gone = change.after === undefined;
  const order = is.atSeconds * 1000 + (gone ? 1 : 0);
  return {
    source: 'icinga',
    key,
    targets: targetsOf(name, service),
    topic: service ?? 'host',
    state: gone ? 'ok' : stateOf(is.state, service),
    says: gone ? 'is not watched any more' : is.output,
    sinceMs: is.atSeconds * 1000,
    order,
    handled: !gone && (is.acknowledged || is.inDowntime),
    flapping: !gone && is.flapping,
  };
}

function stateOf(state: 0 | 1 | 2 | 3, service: string | undefined): string {
  if (service !== undefined) return serviceStates[state];
  return state === 0 ? 'ok' : 'down';
}

/** Hosts that stand for no device: no device has `_` in its name. */
const kinds = [
  ['channel_', 'Channel'],
  ['segment_', 'Segment'],
  ['workload_', 'Workload'],
] as const;

function targetsOf(host: string, service: string | undefined): readonly OpsTarget[] {
  for (const [prefix, kind] of kinds) {
    if (host.startsWith(prefix)) return [{ kind, name: host.slice(prefix.length) }];
  }
  const segment = service?.startsWith(segmentCheck)
    ? service.slice(segmentCheck.length)
    : undefined;
  return [
    ...(segment === undefined
      ? []
      : [
          { kind: 'Attachment', name: `${host}.${segment}` } as const,
          { kind: 'Segment', name: segment } as const,
        ]),
    { kind: 'Device', name: host },
    { kind: 'Node', name: host },
  ];
}
