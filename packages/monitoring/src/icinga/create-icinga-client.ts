import { defined, isRecord, TaplineError } from '@tapline/base';
import type { IcingaEndpoint } from './icinga-endpoint.ts';
import type { IcingaName } from './icinga-name.ts';
import type {
  IcingaCreation,
  IcingaInfo,
  IcingaObject,
  IcingaPackage,
  IcingaQuery,
  ProcessCheckResult,
} from './icinga-objects.ts';
import { IcingaRequests } from './icinga-requests.ts';
import { readLines } from './read-lines.ts';

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** One object: a host, or a service of a host. */
export interface IcingaTarget {
  readonly host: IcingaName;
  readonly service?: IcingaName | undefined;
}

/**
 * Icinga 2's REST API. Errors: `icinga_unreachable`, `icinga_unauthorized`, `icinga_denied`,
 * `icinga_not_found`, `icinga_exists`, `icinga_invalid`, `icinga_busy`, `icinga_error`.
 */
export interface IcingaClient extends AsyncDisposable {
  info(options?: Options): Promise<IcingaInfo>;
  /** When the running process began, in seconds: another number after each reload. */
  startedAt(options?: Options): Promise<number>;
  readonly objects: {
    query(
      type: 'hosts' | 'services',
      query: IcingaQuery,
      options?: Options,
    ): Promise<readonly IcingaObject[]>;
    create(target: IcingaTarget, creation: IcingaCreation, options?: Options): Promise<void>;
    modify(
      target: IcingaTarget,
      attrs: Readonly<Record<string, unknown>>,
      options?: Options,
    ): Promise<void>;
    /** With what depends on it. Only what was created through the API can go. */
    delete(target: IcingaTarget, options?: Options): Promise<void>;
  };
  readonly actions: {
    processCheckResult(
      target: IcingaTarget,
      result: ProcessCheckResult,
      options?: Options,
    ): Promise<void>;
  };
  /** Events as they come, until `signal` or the other end ends it; none is ever sent again. */
  events(
    subscription: { readonly queue: string; readonly types: readonly string[] },
    options?: Options,
  ): AsyncIterable<unknown>;
  readonly packages: {
    list(options?: Options): Promise<readonly IcingaPackage[]>;
    create(name: IcingaName, options?: Options): Promise<void>;
    /** A new stage, which Icinga checks, activates and reloads with; answers its name. */
    upload(
      name: IcingaName,
      files: Readonly<Record<string, string>>,
      options?: Options,
    ): Promise<string>;
    file(
      at: { readonly package: IcingaName; readonly stage: string; readonly path: string },
      options?: Options,
    ): Promise<string>;
    deleteStage(name: IcingaName, stage: string, options?: Options): Promise<void>;
    delete(name: IcingaName, options?: Options): Promise<void>;
  };
}

export interface IcingaClientInit {
  readonly endpoint: IcingaEndpoint;
  /** 4 unless given: more than its cores only wait inside Icinga. */
  readonly connections?: number;
  /** 30 s unless given. */
  readonly timeoutMs?: number;
}

const maxEventBytes = 1024 * 1024;

export function createIcingaClient(init: IcingaClientInit): IcingaClient {
  const requests = new IcingaRequests({
    endpoint: init.endpoint,
    connections: init.connections ?? 4,
    timeoutMs: init.timeoutMs ?? 30_000,
  });
  return {
    async info({ signal } = {}) {
      const [first] = resultsOf(await requests.json({ method: 'GET', path: '/v1', signal }));
      const { user, version, permissions } = first ?? {};
      return {
        user: String(user),
        version: /(\d+\.\d+\.\d+)/.exec(String(version))?.[1] ?? String(version),
        permissions: Array.isArray(permissions) ? permissions.map(permissionText) : [],
      };
    },
    async startedAt({ signal } = {}) {
      const path = '/v1/status/IcingaApplication';
      const [first] = resultsOf(await requests.json({ method: 'GET', path, signal }));
      const started = field(field(field(first, 'status'), 'icingaapplication'), 'app');
      return Number(field(started, 'program_start'));
    },
    objects: {
      async query(type, { attrs, filter, filterVars }, { signal } = {}) {
        const body = { attrs, ...defined({ filter, filter_vars: filterVars }) };
        const path = `/v1/objects/${type}`;
        return resultsOf(await requests.json({ method: 'GET', path, body, signal })).map(objectOf);
      },
      async create(target, creation, { signal } = {}) {
        await requests.json({ method: 'PUT', path: pathOf(target), body: { ...creation }, signal });
      },
      async modify(target, attrs, { signal } = {}) {
        await requests.json({ method: 'POST', path: pathOf(target), body: { attrs }, signal });
      },
      async delete(target, { signal } = {}) {
        await requests.json({ method: 'DELETE', path: `${pathOf(target)}?cascade=1`, signal });
      },
    },
    actions: {
      async processCheckResult({ host, service }, result, { signal } = {}) {
        const path = '/v1/actions/process-check-result';
        const target =
          service === undefined
            ? { type: 'Host', host }
            : { type: 'Service', service: `${host}!${service}` };
        await requests.json({ method: 'POST', path, body: { ...target, ...result }, signal });
      },
    },
    async *events(subscription, { signal } = {}) {
      const body = { ...subscription };
      const stream = await requests.stream({ method: 'POST', path: '/v1/events', body, signal });
      try {
        for await (const line of readLines(stream, maxEventBytes)) yield parseEvent(line);
      } catch (cause) {
        signal?.throwIfAborted();
        if (cause instanceof TaplineError) throw cause;
        throw new TaplineError('icinga_unreachable', 'the event stream of Icinga was cut', {
          cause,
          details: { retryable: true },
        });
      } finally {
        stream.destroy();
      }
    },
    packages: {
      async list({ signal } = {}) {
        const path = '/v1/config/packages';
        return resultsOf(await requests.json({ method: 'GET', path, signal })).map(packageOf);
      },
      async create(name, { signal } = {}) {
        await requests.json({ method: 'POST', path: `/v1/config/packages/${name}`, signal });
      },
      async upload(name, files, { signal } = {}) {
        const path = `/v1/config/stages/${name}`;
        const answer = await requests.json({ method: 'POST', path, body: { files }, signal });
        return String(resultsOf(answer)[0]?.['stage']);
      },
      file: ({ package: name, stage, path }, { signal } = {}) =>
        requests.text({
          method: 'GET',
          path: `/v1/config/files/${name}/${encodeURIComponent(stage)}/${path}`,
          accept: '*/*',
          signal,
        }),
      async deleteStage(name, stage, { signal } = {}) {
        const path = `/v1/config/stages/${name}/${encodeURIComponent(stage)}`;
        await requests.json({ method: 'DELETE', path, signal });
      },
      async delete(name, { signal } = {}) {
        await requests.json({ method: 'DELETE', path: `/v1/config/packages/${name}`, signal });
      },
    },
    [Symbol.asyncDispose]: () => requests[Symbol.asyncDispose](),
  };
}

function pathOf({ host, service }: IcingaTarget): string {
  return service === undefined
    ? `/v1/objects/hosts/${encodeURIComponent(host)}`
    : `/v1/objects/services/${encodeURIComponent(`${host}!${service}`)}`;
}

function resultsOf(document: unknown): readonly Readonly<Record<string, unknown>>[] {
  const results = field(document, 'results');
  if (Array.isArray(results)) return results.filter(isRecord);
  throw new TaplineError('icinga_error', 'an answer of Icinga has no results');
}

function objectOf(result: Readonly<Record<string, unknown>>): IcingaObject {
  const attrs = result['attrs'];
  return { name: String(result['name']), attrs: isRecord(attrs) ? attrs : {} };
}

function packageOf(result: Readonly<Record<string, unknown>>): IcingaPackage {
  const { name, stages, 'active-stage': active } = result;
  return {
    name: String(name),
    stages: Array.isArray(stages) ? stages.map(String) : [],
    activeStage: typeof active === 'string' && active !== '' ? active : undefined,
  };
}

/** A permission with a filter is an object; what it is limited to only Icinga can say. */
function permissionText(permission: unknown): string {
  return isRecord(permission) ? String(permission['permission']) : String(permission);
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function parseEvent(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new TaplineError('icinga_error', 'an event of Icinga is not JSON', { cause });
  }
}
