import { isRecord } from '@tapline/base';
import type { IcingaState } from '../icinga/icinga-objects.ts';
import type { ObjectId } from './object-state.ts';

/** What is asked for. Of other types nothing is known, or there is nothing to do about them. */
export const icingaEventTypes: readonly string[] = [
  'AcknowledgementCleared',
  'AcknowledgementSet',
  'CheckResult',
  'DowntimeRemoved',
  'DowntimeStarted',
  'DowntimeTriggered',
  'Flapping',
  'StateChange',
];

/** An event of Icinga as far as it says how an object stands. */
export type IcingaEvent = { readonly object: ObjectId; readonly atSeconds: number } & (
  | {
      readonly kind: 'result';
      readonly state: IcingaState;
      readonly hard: boolean;
      readonly output: string;
      /** Who found it, as Icinga was told. */
      readonly source: string | undefined;
      readonly acknowledged: boolean | undefined;
      readonly inDowntime: boolean | undefined;
    }
  | { readonly kind: 'acknowledged'; readonly value: boolean }
  | { readonly kind: 'downtime'; readonly value: boolean }
  | { readonly kind: 'flapping'; readonly value: boolean }
);

/** Reads an event; undefined for one that says nothing of an object. Never throws. */
export function parseIcingaEvent(document: unknown): IcingaEvent | undefined {
  if (!isRecord(document)) return undefined;
  const { type, timestamp } = document;
  const downtime = isRecord(document['downtime']) ? document['downtime'] : undefined;
  const host = text(document['host']) ?? text(downtime?.['host_name']);
  if (typeof timestamp !== 'number' || host === undefined) return undefined;
  const service = text(document['service']) ?? text(downtime?.['service_name']);
  const object = service === undefined ? { host } : { host, service };
  const at = { object, atSeconds: timestamp };
  switch (type) {
    case 'CheckResult':
    case 'StateChange':
      return resultOf(document, at);
    case 'AcknowledgementSet':
      return { ...at, kind: 'acknowledged', value: true };
    case 'AcknowledgementCleared':
      return { ...at, kind: 'acknowledged', value: false };
    case 'DowntimeTriggered':
      return { ...at, kind: 'downtime', value: true };
    case 'DowntimeRemoved':
      return { ...at, kind: 'downtime', value: false };
    case 'Flapping': {
      const value = document['is_flapping'];
      return typeof value === 'boolean' ? { ...at, kind: 'flapping', value } : undefined;
    }
    default:
      // DowntimeStarted: a flexible one is not in force before it is triggered.
      return undefined;
  }
}

function resultOf(
  document: Readonly<Record<string, unknown>>,
  at: { readonly object: ObjectId; readonly atSeconds: number },
): IcingaEvent | undefined {
  const result = document['check_result'];
  if (!isRecord(result)) return undefined;
  const after = isRecord(result['vars_after']) ? result['vars_after'] : {};
  const state = stateOf(document['state'] ?? after['state'] ?? result['state'], at.object);
  if (state === undefined) return undefined;
  const { acknowledgement, downtime_depth: depth } = document;
  const foundAt = result['execution_end'];
  return {
    object: at.object,
    // Results are ordered by when they were found: an old one can come late.
    atSeconds: typeof foundAt === 'number' ? foundAt : at.atSeconds,
    kind: 'result',
    state,
    hard: (document['state_type'] ?? after['state_type']) === 1,
    output: text(result['output']) ?? '',
    source: text(result['check_source']),
    acknowledged: typeof acknowledgement === 'boolean' ? acknowledgement : undefined,
    inDowntime: typeof depth === 'number' ? depth > 0 : undefined,
  };
}

/** Hosts are up or down; of a check on one, Icinga says the number of a service. */
export function stateOf(value: unknown, object: ObjectId): IcingaState | undefined {
  if (value !== 0 && value !== 1 && value !== 2 && value !== 3) return undefined;
  if (object.service !== undefined) return value;
  return value === 0 ? 0 : 1;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
