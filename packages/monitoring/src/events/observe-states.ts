import { isRecord } from '@tapline/base';
import type { IcingaClient } from '../icinga/create-icinga-client.ts';
import type { IcingaObject } from '../icinga/icinga-objects.ts';
import type { InstanceName } from '../registration/registration-config.ts';
import { stateOf } from './icinga-event.ts';
import { type ObjectId, objectKeyOf, type ObjectState } from './object-state.ts';
import type { KnownStates } from './reconstruct-states.ts';

const attrs = [
  'state',
  'state_type',
  'last_check',
  'last_check_result',
  'acknowledgement',
  'downtime_depth',
  'flapping',
];

/** How every host and service of an instance stands in Icinga now. */
export async function observeStates(
  client: IcingaClient,
  instance: InstanceName,
  options: { readonly signal?: AbortSignal } = {},
): Promise<KnownStates> {
  const selection = {
    filter: 'host.vars.tapline_instance == instance',
    filterVars: { instance },
  };
  const [hosts, services] = await Promise.all([
    client.objects.query('hosts', { attrs, ...selection }, options),
    client.objects.query('services', { attrs, ...selection }, options),
  ]);
  const all = [
    ...hosts.map((found) => ({ object: { host: found.name }, found })),
    ...services.map((found) => {
      const [host = '', service = ''] = found.name.split('!');
      return { object: { host, service }, found };
    }),
  ];
  return new Map(
    all.flatMap(({ object, found }) => {
      const is = stateIn(found, object);
      return is === undefined ? [] : [[objectKeyOf(object), { object, is }]];
    }),
  );
}

/** Undefined before its first result. */
function stateIn({ attrs: of }: IcingaObject, object: ObjectId): ObjectState | undefined {
  const result = of['last_check_result'];
  const state = stateOf(of['state'], object);
  if (!isRecord(result) || state === undefined) return undefined;
  return {
    state,
    hard: of['state_type'] === 1,
    output: typeof result['output'] === 'string' ? result['output'] : '',
    acknowledged: Number(of['acknowledgement']) > 0,
    inDowntime: Number(of['downtime_depth']) > 0,
    flapping: of['flapping'] === true,
    atSeconds: Number(result['execution_end'] ?? of['last_check']),
  };
}
