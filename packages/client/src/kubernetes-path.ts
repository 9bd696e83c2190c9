import type { KindNames } from '@tapline/resources';

export interface PathOptions {
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
}

/** The path of a kind's collection, of an object or of its subresource, with the query. */
export function kubernetesPath(definition: KindNames, options: PathOptions = {}): string {
  const { group, version, plural, scope } = definition;
  const { namespace, name, subresource, query = {} } = options;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  // Without a name and a namespace the collection over all namespaces is meant.
  const within =
    scope === 'Cluster' || (namespace ?? name) === undefined
      ? ''
      : `/namespaces/${encodeURIComponent(namespace ?? 'default')}`;
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  const below = subresource === undefined ? '' : `/${subresource}`;
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return `${root}${within}/${plural}${object}${below}${given.length === 0 ? '' : `?${given.join('&')}`}`;
}
