import { isRecord } from '@tapline/base';
import type { IcingaClient } from '../icinga/create-icinga-client.ts';
import type { IcingaName } from '../icinga/icinga-name.ts';
import type { IcingaObject, IcingaQuery } from '../icinga/icinga-objects.ts';
import type { ObservedCheck, ObservedHost } from './observed-host.ts';
import type { InstanceName } from './registration-config.ts';

const hostAttrs = ['display_name', 'vars'];
const serviceAttrs = ['host_name', 'name', 'display_name', 'package', 'vars'];

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** All hosts that an instance has made in Icinga, by name. */
export function observeInstance(
  client: IcingaClient,
  instance: InstanceName,
  options: Options = {},
): Promise<ReadonlyMap<string, ObservedHost>> {
  return observe(
    client,
    { filter: 'host.vars.tapline_instance == instance', filterVars: { instance } },
    options,
  );
}

/** One host, whoever made it. */
export async function observeHost(
  client: IcingaClient,
  name: IcingaName,
  options: Options = {},
): Promise<ObservedHost | undefined> {
  const selection = { filter: 'host.name == wanted', filterVars: { wanted: name } };
  return (await observe(client, selection, options)).get(name);
}

async function observe(
  client: IcingaClient,
  selection: Pick<IcingaQuery, 'filter' | 'filterVars'>,
  options: Options,
): Promise<ReadonlyMap<string, ObservedHost>> {
  const [hosts, services] = await Promise.all([
    client.objects.query('hosts', { attrs: hostAttrs, ...selection }, options),
    client.objects.query('services', { attrs: serviceAttrs, ...selection }, options),
  ]);
  const checks = Map.groupBy(services, ({ attrs }) => String(attrs['host_name']));
  return new Map(hosts.map((host) => [host.name, observed(host, checks.get(host.name) ?? [])]));
}

function observed({ attrs }: IcingaObject, services: readonly IcingaObject[]): ObservedHost {
  const vars = varsOf(attrs);
  const instance = text(vars['tapline_instance']);
  return {
    instance,
    kind: text(vars['tapline_kind']),
    title: text(attrs['display_name']) ?? '',
    // Others may put services on our hosts by rules of their own, and Icinga runs some for us.
    checks: new Map(
      services
        .filter(({ attrs: of }) => text(varsOf(of)['tapline_instance']) === instance)
        .map(({ attrs: of }): [string, ObservedCheck] => [
          String(of['name']),
          // What the API has made is in a package of its own.
          { title: text(of['display_name']) ?? '', single: of['package'] === '_api' },
        ]),
    ),
  };
}

function varsOf(attrs: IcingaObject['attrs']): Readonly<Record<string, unknown>> {
  return isRecord(attrs['vars']) ? attrs['vars'] : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
