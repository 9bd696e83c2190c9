import type { ConnectHandler } from '../connect-handler.ts';
import type { ServedKind } from '../served-kind.ts';

const kindVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const;
const statusVerbs = ['get', 'patch', 'update'];

interface Subresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
}

/** Documents that say what is served, made once. */
export interface Discovery {
  /** By path: `/api`, `/apis`, `/apis/<group>`, `/apis/<group>/<version>`, `/api/v1`. */
  readonly documents: ReadonlyMap<string, string>;
  aggregated(root: 'api' | 'apis', version: 'v2' | 'v2beta1'): string;
}

/** Resources that are asked and not stored. */
const reviews: readonly (readonly [group: string, plural: string, kind: string])[] = [
  ['authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview'],
  ['authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview'],
  ['authorization.k8s.io', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview'],
];

export function createDiscovery(
  kinds: readonly ServedKind[],
  connectHandlers: Readonly<Record<string, ConnectHandler>>,
): Discovery {
  const resources = [
    ...kinds.map((kind) => ofKind(kind, connectHandlers)),
    ...reviews.map((review) => ofReview(review)),
  ];
  const groups = Map.groupBy(resources, ({ group }) => group);
  const documents = new Map<string, string>();
  documents.set(
    '/api',
    JSON.stringify({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }),
  );
  const list = [];
  for (const [group, members] of groups) {
    const versions = [...new Set(members.map(({ version }) => version))];
    for (const version of versions) {
      const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
      documents.set(path, resourceList(group, version, members));
    }
    if (group === '') continue;
    const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
    const document = { name: group, versions: entries, preferredVersion: entries[0] };
    list.push(document);
    documents.set(
      `/apis/${group}`,
      JSON.stringify({ kind: 'APIGroup', apiVersion: 'v1', ...document }),
    );
  }
  documents.set('/apis', JSON.stringify({ kind: 'APIGroupList', apiVersion: 'v1', groups: list }));
  const aggregated = new Map<string, string>();
  for (const root of ['api', 'apis'] as const) {
    for (const version of ['v2', 'v2beta1'] as const) {
      aggregated.set(`${root} ${version}`, aggregate(root, version, groups));
    }
  }
  return {
    documents,
    aggregated: (root, version) => aggregated.get(`${root} ${version}`) ?? '{}',
  };
}

function ofKind(
  kind: ServedKind,
  connectHandlers: Readonly<Record<string, ConnectHandler>>,
): Resource {
  const { group, version, plural, definition } = kind;
  const subresources: Subresource[] = [];
  if (kind.hasStatus) {
    subresources.push({ name: 'status', group, version, kind: kind.kind, verbs: statusVerbs });
  }
  if (kind.scale !== undefined) {
    subresources.push({
      name: 'scale',
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: statusVerbs,
    });
  }
  for (const [name, { verb }] of Object.entries(connectHandlers)) {
    const [of, subresource = ''] = name.split('/');
    if (of === plural) {
      subresources.push({ name: subresource, group, version, kind: kind.kind, verbs: [verb] });
    }
  }
  return {
    group,
    version,
    kind: kind.kind,
    plural,
    singular: definition.singular,
    namespaced: kind.namespaced,
    shortNames: definition.shortNames,
    categories: definition.categories,
    verbs: kindVerbs,
    subresources,
  };
}

function ofReview([group, plural, kind]: readonly [string, string, string]): Resource {
  return {
    group,
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced: false,
    shortNames: [],
    categories: [],
    verbs: ['create'],
    subresources: [],
  };
}

function resourceList(group: string, version: string, members: readonly Resource[]): string {
  const own = members.filter((one) => one.version === version);
  const resources = own.flatMap((one) => [
    {
      name: one.plural,
      singularName: one.singular,
      namespaced: one.namespaced,
      kind: one.kind,
      verbs: one.verbs,
      ...(one.shortNames.length === 0 ? {} : { shortNames: one.shortNames }),
      ...(one.categories.length === 0 ? {} : { categories: one.categories }),
    },
    ...one.subresources.map((sub) => ({
      name: `${one.plural}/${sub.name}`,
      singularName: '',
      namespaced: one.namespaced,
      group: sub.group,
      version: sub.version,
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ]);
  return JSON.stringify({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources,
  });
}

function aggregate(
  root: 'api' | 'apis',
  apiVersion: 'v2' | 'v2beta1',
  groups: ReadonlyMap<string, readonly Resource[]>,
): string {
  const items = [...groups]
    .filter(([group]) => (group === '') === (root === 'api'))
    .map(([group, members]) => ({
      metadata: group === '' ? {} : { name: group },
      versions: [...Map.groupBy(members, ({ version }) => version)].map(([version, own]) => ({
        version,
        freshness: 'Current',
        resources: own.map((one) => ({
          resource: one.plural,
          responseKind: { group, version, kind: one.kind },
          scope: one.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: one.singular,
          verbs: one.verbs,
          ...(one.shortNames.length === 0 ? {} : { shortNames: one.shortNames }),
          ...(one.categories.length === 0 ? {} : { categories: one.categories }),
          ...(one.subresources.length === 0
            ? {}
            : {
                subresources: one.subresources.map((sub) => ({
                  subresource: sub.name,
                  responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
                  verbs: sub.verbs,
                })),
              }),
        })),
      })),
    }));
  return JSON.stringify({
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${apiVersion}`,
    metadata: {},
    items,
  });
}
