import { edgePaths } from '@tapline/control-plane';
import { streamProtocol } from '@tapline/gateway';
import type { RegistryRoute } from '@tapline/registry';

/** A request that somebody could send, with what it is about. */
export interface PossibleRequest {
  readonly method: string;
  readonly path: string;
  /** Subprotocol of a WebSocket to upgrade to. */
  readonly upgrade?: string;
  readonly about:
    | {
        readonly kind: 'resource';
        readonly group: string;
        readonly resource: string;
        readonly subresource: string;
        readonly name: string | undefined;
        readonly selector: string;
      }
    | { readonly kind: 'registry'; readonly route: string; readonly repository: string | undefined }
    | { readonly kind: 'edge'; readonly route: string };
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** What a server's discovery documents list. */
export interface ServedResource {
  readonly groupVersion: string;
  /** `installs` or `installs/status`. */
  readonly name: string;
  readonly namespaced: boolean;
}

/**
 * Everything that a control plane can be asked: each resource and subresource of its discovery, each
 * route of its registry and each path of its edge, with every method. `names` are those of a
 * resource's objects, `selectors` what lists may be narrowed by.
 */
export function allRequests(about: {
  readonly resources: readonly ServedResource[];
  readonly names: (resource: string) => readonly string[];
  readonly selectors: readonly string[];
  readonly repositories: readonly string[];
}): readonly PossibleRequest[] {
  return [
    ...about.resources.flatMap((resource) => resourceRequests(resource, about)),
    ...registryRequests(about.repositories),
    ...edgeRequests(),
  ];
}

function resourceRequests(
  served: ServedResource,
  { names, selectors }: Pick<Parameters<typeof allRequests>[0], 'names' | 'selectors'>,
): readonly PossibleRequest[] {
  const [resource = '', subresource = ''] = served.name.split('/');
  const [group, version] = served.groupVersion.includes('/')
    ? served.groupVersion.split('/')
    : ['', served.groupVersion];
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const place = served.namespaced ? `${root}/namespaces/default` : root;
  const of = (more: { readonly name?: string; readonly selector?: string } = {}) => ({
    kind: 'resource' as const,
    group: group ?? '',
    resource,
    subresource,
    name: more.name,
    selector: more.selector ?? '',
  });
  if (subresource === '') {
    const lists = served.namespaced ? [root, place] : [root];
    const collections = lists.flatMap((at) =>
      // Without its namespace, what has one can only be listed.
      (served.namespaced && at === root ? (['GET', 'HEAD'] as const) : methods).map((method) => ({
        method,
        path: `${at}/${resource}`,
        about: of(),
      })),
    );
    const narrowed = ['', ...selectors].flatMap((selector) =>
      [{}, { watch: 'true' }].map((watch) => {
        const query = new URLSearchParams({ fieldSelector: selector, ...watch }).toString();
        return { method: 'GET', path: `${root}/${resource}?${query}`, about: of({ selector }) };
      }),
    );
    return [...collections, ...narrowed, ...objects()];
  }
  return objects();

  function objects(): readonly PossibleRequest[] {
    return names(resource).flatMap((name) => {
      const path = `${place}/${[resource, name, subresource].filter((part) => part !== '').join('/')}`;
      const plain = methods.map((method) => ({ method, path, about: of({ name }) }));
      const query = subresource === 'portforward' ? '?connect=22' : '';
      const socket = {
        method: 'GET',
        path: `${path}${query}`,
        about: of({ name }),
        upgrade: streamProtocol,
      };
      return subresource === '' ? plain : [...plain, socket];
    });
  }
}

const digest = `sha256:${'0'.repeat(64)}`;

function registryRequests(repositories: readonly string[]): readonly PossibleRequest[] {
  const paths = {
    ping: () => '',
    catalog: () => '_catalog',
    blob: (repository) => `${repository}/blobs/${digest}`,
    uploads: (repository) => `${repository}/blobs/uploads/?mount=${digest}&from=secret`,
    upload: (repository) => `${repository}/blobs/uploads/00000000-0000-4000-8000-000000000000`,
    manifest: (repository) => `${repository}/manifests/latest`,
    tags: (repository) => `${repository}/tags/list`,
    referrers: (repository) => `${repository}/referrers/${digest}`,
  } satisfies Record<RegistryRoute['kind'], (repository: string) => string>;
  return Object.entries(paths).flatMap(([route, path]) => {
    const about = route === 'ping' || route === 'catalog' ? [undefined] : repositories;
    return about.flatMap((repository) =>
      methods.map((method) => ({
        method,
        path: `/v2/${path(repository ?? '')}`,
        about: { kind: 'registry', route, repository } as const,
      })),
    );
  });
}

function edgeRequests(): readonly PossibleRequest[] {
  const below = {
    api: [
      '',
      'api',
      'apis',
      'openapi/v2',
      'openapi/v3',
      'metrics',
      'version',
      'healthz',
      'livez',
      'debug',
    ],
    ready: [''],
    // Those of the registry are made of its routes.
    registry: [],
    registryAdmin: ['', 'repositories', 'usage', 'gc', 'scrub'],
    registryTokens: ['?service=tapline-registry&scope=repository:secret:pull,push'],
    replication: [''],
    replicationPolicy: ['nightly'],
    monitoring: [''],
    alerts: [''],
    slack: [''],
    telemetryMetrics: [''],
    telemetryTraces: [''],
    enrol: [''],
    renew: [''],
    challenge: [''],
    imageKeys: [''],
    profiles: [`${'a'.repeat(40)}.${'b'.repeat(22)}/news.mobileconfig`],
    devicePage: ['', 'device.js'],
    sessions: ['', 'tunnel'],
  } satisfies Record<keyof typeof edgePaths, readonly string[]>;
  return Object.entries(below).flatMap(([route, rest]) =>
    rest.flatMap((more) => {
      const path = `${edgePaths[route as keyof typeof edgePaths]}${more}`;
      const about = { kind: 'edge', route: path.split('?', 1)[0] ?? '' } as const;
      const socket = { method: 'GET', path, about, upgrade: 'v1.tunnel.tapline.dev' };
      // Failures are counted there, and then refuse everybody at this address for a while.
      const counted: Readonly<Record<string, readonly string[]>> = {
        enrol: ['POST'],
        renew: ['POST'],
        challenge: ['GET'],
        profiles: ['POST'],
      };
      const used = counted[route] ?? methods;
      const plain = used.map((method) => ({ method, path, about }));
      return route === 'sessions' && more !== '' ? [...plain, socket] : plain;
    }),
  );
}
