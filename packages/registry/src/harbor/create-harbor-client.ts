import { type Clock, type Rng, systemClock, systemRng } from '@tapline/base';
import {
  createHttpTransport,
  type HttpTransport,
  type TlsIdentity,
} from '../client/http-transport.ts';
import type {
  HarborExecution,
  HarborPolicy,
  HarborPolicyRequest,
  HarborProject,
  HarborProjectRequest,
  HarborRegistry,
  HarborRegistryRequest,
  HarborRegistryUpdate,
  HarborRobot,
  HarborRobotCreated,
  HarborRobotRequest,
  HarborTask,
} from './harbor-objects.ts';
import { HarborRequests } from './harbor-requests.ts';

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Harbor's REST API. Errors: `harbor_unreachable`, `harbor_unauthorized`, `harbor_denied`,
 * `harbor_not_found`, `harbor_conflict`, `harbor_in_use`, `harbor_invalid`, `harbor_error`.
 */
export interface HarborClient extends AsyncDisposable {
  readonly projects: {
    find(name: string, options?: Options): Promise<HarborProject | undefined>;
    create(project: HarborProjectRequest, options?: Options): Promise<void>;
    update(project: HarborProjectRequest, options?: Options): Promise<void>;
  };
  readonly robots: {
    /** Those of a project, whatever level they were made at. */
    list(projectId: number, options?: Options): Promise<readonly HarborRobot[]>;
    create(robot: HarborRobotRequest, options?: Options): Promise<HarborRobotCreated>;
    update(robot: HarborRobot, options?: Options): Promise<void>;
    /** A new secret; the old one ends at once. */
    refreshSecret(id: number, options?: Options): Promise<string>;
    delete(id: number, options?: Options): Promise<void>;
  };
  readonly registries: {
    list(options?: Options): Promise<readonly HarborRegistry[]>;
    create(registry: HarborRegistryRequest, options?: Options): Promise<number>;
    update(id: number, registry: HarborRegistryUpdate, options?: Options): Promise<void>;
    delete(id: number, options?: Options): Promise<void>;
  };
  readonly policies: {
    list(options?: Options): Promise<readonly HarborPolicy[]>;
    create(policy: HarborPolicyRequest, options?: Options): Promise<number>;
    update(policy: HarborPolicy, options?: Options): Promise<void>;
    delete(id: number, options?: Options): Promise<void>;
  };
  readonly executions: {
    start(policyId: number, options?: Options): Promise<number>;
    get(id: number, options?: Options): Promise<HarborExecution>;
    list(policyId: number, options?: Options): Promise<readonly HarborExecution[]>;
    tasks(id: number, options?: Options): Promise<readonly HarborTask[]>;
    stop(id: number, options?: Options): Promise<void>;
  };
}

export interface HarborClientInit {
  readonly baseUrl: string;
  readonly username: string;
  readonly password: string;
  readonly tls?: TlsIdentity;
  readonly transport?: HttpTransport;
  readonly clock?: Clock;
  readonly rng?: Rng;
  /** Tries of each request that is safe to repeat; 4 unless given. */
  readonly attempts?: number;
}

export function createHarborClient(init: HarborClientInit): HarborClient {
  const transport =
    init.transport ?? createHttpTransport(init.tls === undefined ? {} : { tls: init.tls });
  const requests = new HarborRequests({
    baseUrl: new URL(init.baseUrl),
    username: init.username,
    password: init.password,
    transport,
    clock: init.clock ?? systemClock,
    rng: init.rng ?? systemRng,
    attempts: init.attempts ?? 4,
  });
  const policies = '/replication/policies';
  const executions = '/replication/executions';
  return {
    projects: {
      find: (name, { signal } = {}) =>
        requests.find({ method: 'GET', path: projectPath(name), isResourceName: true, signal }),
      create: (body, { signal } = {}) =>
        requests.write({ method: 'POST', path: '/projects', body, signal }),
      update: (body, { signal } = {}) => {
        const path = projectPath(body.project_name);
        return requests.write({ method: 'PUT', path, body, isResourceName: true, signal });
      },
    },
    robots: {
      list: (projectId, { signal } = {}) =>
        requests.list({
          path: '/robots',
          query: { q: `Level=project,ProjectID=${projectId}` },
          signal,
        }),
      create: (body, { signal } = {}) =>
        requests.read({ method: 'POST', path: '/robots', body, signal }),
      update: (body, { signal } = {}) =>
        requests.write({ method: 'PUT', path: `/robots/${body.id}`, body, signal }),
      async refreshSecret(id, { signal } = {}) {
        // An empty secret asks Harbor to make one.
        const body = { secret: '' };
        const path = `/robots/${id}`;
        const made = await requests.read<{ secret: string }>({
          method: 'PATCH',
          path,
          body,
          signal,
        });
        return made.secret;
      },
      delete: (id, { signal } = {}) =>
        requests.write({ method: 'DELETE', path: `/robots/${id}`, signal }),
    },
    registries: {
      list: ({ signal } = {}) => requests.list({ path: '/registries', signal }),
      create: (body, { signal } = {}) =>
        requests.create({ method: 'POST', path: '/registries', body, signal }),
      update: (id, body, { signal } = {}) =>
        requests.write({ method: 'PUT', path: `/registries/${id}`, body, signal }),
      delete: (id, { signal } = {}) =>
        requests.write({ method: 'DELETE', path: `/registries/${id}`, signal }),
    },
    policies: {
      list: ({ signal } = {}) => requests.list({ path: policies, signal }),
      create: (body, { signal } = {}) =>
        requests.create({ method: 'POST', path: policies, body, signal }),
      update: (body, { signal } = {}) =>
        requests.write({ method: 'PUT', path: `${policies}/${body.id}`, body, signal }),
      delete: (id, { signal } = {}) =>
        requests.write({ method: 'DELETE', path: `${policies}/${id}`, signal }),
    },
    executions: {
      start: (id, { signal } = {}) =>
        requests.create({ method: 'POST', path: executions, body: { policy_id: id }, signal }),
      get: (id, { signal } = {}) =>
        requests.read({ method: 'GET', path: `${executions}/${id}`, signal }),
      list: (id, { signal } = {}) =>
        requests.list({ path: executions, query: { policy_id: String(id) }, signal }),
      tasks: (id, { signal } = {}) => requests.list({ path: `${executions}/${id}/tasks`, signal }),
      stop: (id, { signal } = {}) =>
        requests.write({ method: 'PUT', path: `${executions}/${id}`, signal }),
    },
    async [Symbol.asyncDispose]() {
      if (init.transport === undefined) await transport[Symbol.asyncDispose]();
    },
  };
}

function projectPath(name: string): string {
  return `/projects/${encodeURIComponent(name)}`;
}
