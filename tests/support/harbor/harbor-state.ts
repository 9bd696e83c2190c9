import { isRecord } from '@tapline/base';
import type { Operation } from './swagger.ts';

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Given {
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** What stands for a project in the path is its name. */
  readonly isName: boolean;
}

type Thing = Record<string, unknown>;

/** What a Harbor holds; tests look into it and change it behind the client's back. */
export interface HarborState {
  readonly projects: Thing[];
  readonly robots: Thing[];
  readonly registries: Thing[];
  readonly policies: Thing[];
  readonly executions: Thing[];
  readonly secrets: Map<number, string>;
  /** How executions go on: each look at one takes the next of these. */
  readonly courses: string[];
  answer(operation: Operation, given: Given): Reply;
}

// Collections by their path, and what an object of each is found by.
const collections = {
  '/projects': { list: 'projects', id: 'project_id' },
  '/robots': { list: 'robots', id: 'id' },
  '/registries': { list: 'registries', id: 'id' },
  '/replication/policies': { list: 'policies', id: 'id' },
  '/replication/executions': { list: 'executions', id: 'id' },
} as const;

/**
 * Keeps objects for the collections of the contract, and adds what Harbor does and its contract only
 * tells in prose or not at all: unique names, robots' prefixes, secrets that are told once.
 */
export function createHarborState(): HarborState {
  let lastId = 0;
  const secrets = new Map<number, string>();
  const state: HarborState = {
    projects: [],
    robots: [],
    registries: [],
    policies: [],
    executions: [],
    secrets,
    courses: [],
    answer(operation, given) {
      const collection = Object.entries(collections).find(
        ([path]) => operation.path === path || operation.path.startsWith(`${path}/{`),
      );
      if (operation.path.endsWith('/tasks')) return tasks(Number(given.parameters['id']));
      if (collection === undefined) return { status: 500, body: notKept(operation) };
      const [path, { list, id }] = collection;
      const things = state[list];
      if (operation.path === path) {
        if (operation.method === 'POST') return create(path, things, given);
        if (operation.method === 'GET') return page(things.filter(matches(path, given)), given);
        return { status: 500, body: notKept(operation) };
      }
      const key = Object.values(given.parameters)[0] ?? '';
      const at = things.findIndex((thing) =>
        given.isName ? thing['name'] === key : String(thing[id]) === key,
      );
      const thing = things[at];
      if (thing === undefined) return refused(404, `${path} ${key} not found`);
      switch (operation.method) {
        case 'GET':
          if (path === '/replication/executions') advance(thing);
          return { status: 200, body: shown(thing) };
        case 'PUT':
          return update(path, thing, given);
        case 'PATCH':
          return refresh(thing, given);
        case 'DELETE':
          return remove(path, things, at);
        default:
          return { status: 500, body: notKept(operation) };
      }
    },
  };

  function create(path: string, things: Thing[], { body }: Given): Reply {
    const given = isRecord(body) ? { ...body } : {};
    lastId += 1;
    const id = lastId;
    const location = { location: `/api/v2.0${path}/${id}` };
    if (path === '/projects') {
      const { project_name: name, metadata } = given;
      if (things.some((thing) => thing['name'] === name)) return refused(409, 'project exists');
      things.push({ project_id: id, name, metadata, creation_time: now(), repo_count: 0 });
      return { status: 201, headers: location };
    }
    if (path === '/replication/executions') {
      const policy = state.policies.find((one) => one['id'] === given['policy_id']);
      if (policy === undefined) return refused(404, 'policy not found');
      things.push({
        id,
        policy_id: policy['id'],
        status: 'InProgress',
        trigger: 'manual',
        total: 3,
        succeed: 0,
        failed: 0,
        in_progress: 3,
        stopped: 0,
        status_text: '',
        start_time: now(),
      });
      return { status: 201, headers: location };
    }
    if (path === '/robots') return createRobot(id, given, location);
    if (things.some((thing) => thing['name'] === given['name'])) return refused(409, 'name exists');
    const problem = path === '/replication/policies' ? policyProblem(given) : undefined;
    if (problem !== undefined) return refused(400, problem);
    things.push({ ...given, id, creation_time: now(), update_time: now() });
    return { status: 201, headers: location };
  }

  function createRobot(id: number, given: Thing, headers: Record<string, string>): Reply {
    const [permission] = given['permissions'] as { namespace: string }[];
    if (!/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(String(given['name']))) {
      return refused(400, 'robot name is not in lower case without special characters');
    }
    if (!state.projects.some((project) => project['name'] === permission?.namespace)) {
      return refused(404, `project ${permission?.namespace} not found`);
    }
    const duration = Number(given['duration']);
    if (duration !== -1 && !(duration > 0)) return refused(400, 'bad request error duration input');
    const name = `robot$${permission?.namespace}+${String(given['name'])}`;
    if (state.robots.some((robot) => robot['name'] === name)) return refused(409, 'robot exists');
    const secret = `Secret${id}${'x'.repeat(24)}`;
    secrets.set(id, secret);
    const expires = duration === -1 ? -1 : Math.floor(Date.now() / 1000) + duration * 86_400;
    state.robots.push({
      ...given,
      id,
      name,
      editable: true,
      expires_at: expires,
      creation_time: now(),
    });
    return {
      status: 201,
      headers,
      body: { id, name, secret, creation_time: now(), expires_at: expires },
    };
  }

  function update(path: string, thing: Thing, { body }: Given): Reply {
    const given = isRecord(body) ? body : {};
    if (path === '/replication/executions') {
      thing['status'] = 'Stopped';
      return { status: 200 };
    }
    if (path === '/projects') {
      Object.assign(thing, { metadata: given['metadata'], update_time: now() });
      return { status: 200 };
    }
    if (
      path === '/robots' &&
      (given['name'] !== thing['name'] || given['level'] !== thing['level'])
    ) {
      return refused(400, 'cannot update the level or name of robot');
    }
    const problem = path === '/replication/policies' ? policyProblem(given) : undefined;
    if (problem !== undefined) return refused(400, problem);
    if (path === '/registries') {
      const { credential_type: type, access_key, access_secret, ...fields } = given;
      Object.assign(
        thing,
        fields,
        type === undefined ? {} : { credential: { type, access_key, access_secret } },
      );
      return { status: 200 };
    }
    Object.assign(thing, given, { update_time: now() });
    return { status: 200 };
  }

  function refresh(thing: Thing, { body }: Given): Reply {
    const asked = isRecord(body) ? body['secret'] : undefined;
    const secret = asked === '' ? `Refreshed${Number(thing['id'])}${secrets.size}x` : String(asked);
    secrets.set(Number(thing['id']), secret);
    return { status: 200, body: { secret } };
  }

  function remove(path: string, things: Thing[], at: number): Reply {
    const id = things[at]?.['id'];
    const inUse =
      path === '/registries' &&
      state.policies.some((policy) =>
        ['src_registry', 'dest_registry'].some((end) => {
          const other = policy[end];
          return isRecord(other) && other['id'] === id;
        }),
      );
    if (inUse) return refused(412, 'the registry is used by replication policies');
    things.splice(at, 1);
    return { status: 200 };
  }

  function policyProblem(policy: Readonly<Thing>): string | undefined {
    const ends = ['src_registry', 'dest_registry'].filter((end) => policy[end] !== undefined);
    if (ends.length !== 1) return 'either src_registry or dest_registry must be given';
    const other = policy[ends[0] ?? ''];
    if (!state.registries.some((one) => isRecord(other) && one['id'] === other['id'])) {
      return 'registry not found';
    }
    const trigger = policy['trigger'] as { type: string; trigger_settings?: { cron?: string } };
    if (trigger.type === 'event_based' && ends[0] === 'src_registry') {
      return 'the event based trigger is only for pushes';
    }
    const cron = trigger.trigger_settings?.cron ?? '';
    return trigger.type === 'scheduled' && cron.split(' ').length !== 6
      ? 'the cron string has not six fields'
      : undefined;
  }

  function advance(execution: Thing): void {
    const next = state.courses.shift();
    if (next === undefined) return;
    execution['status'] = next;
    if (next === 'Succeed') Object.assign(execution, { succeed: 3, in_progress: 0 });
    if (next === 'Failed') Object.assign(execution, { succeed: 2, failed: 1, in_progress: 0 });
  }

  function tasks(id: number): Reply {
    const execution = state.executions.find((one) => one['id'] === id);
    const failed = Number(execution?.['failed'] ?? 0);
    const body = [0, 1, 2].map((at) => ({
      id: id * 10 + at,
      execution_id: id,
      status: at < failed ? 'Failed' : 'Succeed',
      src_resource: `tools/thing-${at}:[1 item(s) in total]`,
    }));
    return { status: 200, body };
  }
  return state;
}

function now(): string {
  return new Date().toISOString();
}

function matches(path: string, { query }: Given): (thing: Thing) => boolean {
  const q = query['q'];
  if (path === '/replication/executions' && query['policy_id'] !== undefined) {
    return (thing) => String(thing['policy_id']) === query['policy_id'];
  }
  // As Harbor: without the question after a project there are the accounts of the system only.
  if (path === '/robots') {
    const isOfProject = q !== undefined && /^Level=project,ProjectID=\d+$/.test(q);
    return (thing) => (thing['level'] === 'project') === isOfProject;
  }
  return () => true;
}

function page(things: readonly Thing[], { query }: Given): Reply {
  const size = Number(query['page_size'] ?? 10);
  if (size > 100) return refused(422, 'page_size must not exceed 100');
  const start = (Number(query['page'] ?? 1) - 1) * size;
  return {
    status: 200,
    body: things.slice(start, start + size).map(shown),
    headers: { 'x-total-count': String(things.length) },
  };
}

/** Secrets are never shown again. */
function shown(thing: Thing): Thing {
  const { credential } = thing;
  if (!isRecord(credential)) return thing;
  return { ...thing, credential: { ...credential, access_secret: '*****' } };
}

function refused(status: number, message: string): Reply {
  return { status, body: { errors: [{ code: String(status), message }] } };
}

function notKept(operation: Operation): unknown {
  return { errors: [{ code: 'TEST', message: `${operation.id} keeps no state here` }] };
}
