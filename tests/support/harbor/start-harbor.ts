import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRecord } from '@tapline/base';
import { contractViolations } from './contract-violations.ts';
import { createHarborState, type HarborState, type Reply } from './harbor-state.ts';
import type { Operation, Parameter, Swagger } from './swagger.ts';

/** A server made from Harbor's own contract. */
export interface HarborServer extends AsyncDisposable {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly state: HarborState;
  /** Each request that was answered: `POST /robots 201`. */
  readonly requests: readonly string[];
  /** What was against the contract, of requests and of our own answers. */
  readonly violations: readonly string[];
  /** Answers the next requests with this status instead. */
  failNext(count: number, status: number): void;
}

/**
 * Serves every path of the contract: checks path, query, headers and body of each request against
 * it, and its own answers, too. What the contract does not say, as that names are unique, is in
 * HarborState.
 */
export async function startHarbor(swagger: Swagger): Promise<HarborServer> {
  const login = { username: 'admin', password: 'Harbor12345' };
  const expected = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const state = createHarborState();
  const requests: string[] = [];
  const violations: string[] = [];
  const failures: number[] = [];

  async function reply(request: IncomingMessage): Promise<Reply & { operation?: Operation }> {
    const url = new URL(request.url ?? '/', 'http://harbor');
    const path = url.pathname.replace(swagger.basePath, '');
    const body = await readJson(request);
    const failure = failures.shift();
    if (failure !== undefined) return { status: failure, body: errors('failure on request') };
    const operation = swagger.operations.find(
      ({ method, pattern }) => method === request.method && pattern.test(path),
    );
    if (operation === undefined || !url.pathname.startsWith(swagger.basePath)) {
      violations.push(`${request.method} ${url.pathname} is not in the contract`);
      return { status: 404, body: errors('no such path') };
    }
    const parameters = decoded(operation.pattern.exec(path)?.groups ?? {});
    const found = requestViolations(operation, { parameters, url, request, body });
    if (found.length > 0) {
      violations.push(...found.map((text) => `${operation.id}: ${text}`));
      return { status: 422, body: errors(found.join('; ')), operation };
    }
    if (request.headers.authorization !== expected) {
      return { status: 401, body: errors('unauthorized'), operation };
    }
    const query = Object.fromEntries(url.searchParams);
    const isName = request.headers['x-is-resource-name'] === 'true';
    return { ...state.answer(operation, { parameters, query, body, isName }), operation };
  }

  function requestViolations(
    operation: Operation,
    given: {
      readonly parameters: Readonly<Record<string, string>>;
      readonly url: URL;
      readonly request: IncomingMessage;
      readonly body: unknown;
    },
  ): readonly string[] {
    const { parameters, url, request, body } = given;
    const known = new Set<string>();
    const found = operation.parameters.flatMap((parameter) => {
      known.add(`${parameter.in} ${parameter.name}`);
      const at = `${parameter.in} ${parameter.name}`;
      if (parameter.in === 'body') {
        if (body === undefined) return parameter.required === true ? [`${at} is missing`] : [];
        const type = request.headers['content-type'];
        if (type !== 'application/json') return [`content type ${type ?? 'none'} is not JSON`];
        return contractViolations(swagger, parameter.schema ?? {}, { value: body, at });
      }
      const text =
        parameter.in === 'path'
          ? parameters[parameter.name]
          : parameter.in === 'query'
            ? (url.searchParams.get(parameter.name) ?? undefined)
            : request.headers[parameter.name.toLowerCase()]?.toString();
      if (text === undefined) return parameter.required === true ? [`${at} is missing`] : [];
      const { required: _required, ...schema } = parameter;
      return contractViolations(swagger, schema, { value: typed(parameter, text), at });
    });
    const unknown = [...url.searchParams.keys()].filter((name) => !known.has(`query ${name}`));
    const hasBody = operation.parameters.some((parameter) => parameter.in === 'body');
    return [
      ...found,
      ...unknown.map((name) => `query ${name} is not in the contract`),
      ...(body !== undefined && !hasBody ? ['a body is not in the contract'] : []),
    ];
  }

  function answer(
    response: ServerResponse,
    { status, body, headers = {}, operation }: Awaited<ReturnType<typeof reply>>,
  ): void {
    const declared = operation?.responses[String(status)];
    if (operation !== undefined && status < 300) {
      if (declared === undefined) violations.push(`${operation.id}: ${status} is not declared`);
      else if (declared.schema !== undefined) {
        const value = body ?? null;
        violations.push(
          ...contractViolations(swagger, declared.schema, {
            value,
            at: `answer of ${operation.id}`,
          }),
        );
      }
    }
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': bytes.length,
      ...headers,
    });
    response.end(bytes);
  }

  const server = createServer((request, response) => {
    void reply(request).then(
      (made) => {
        requests.push(
          `${request.method} ${new URL(request.url ?? '', 'http://h').pathname.replace(swagger.basePath, '')} ${made.status}`,
        );
        answer(response, made);
        return undefined;
      },
      (error: unknown) => {
        violations.push(`${request.method} ${request.url}: ${String(error)}`);
        answer(response, { status: 500, body: errors(String(error)) });
      },
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...login,
    state,
    requests,
    violations,
    failNext: (count, status) => failures.push(...Array.from({ length: count }, () => status)),
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function errors(message: string): unknown {
  return { errors: [{ code: 'TEST', message }] };
}

function decoded(groups: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]),
  );
}

function typed({ type }: Parameter, text: string): unknown {
  if (type === 'integer' || type === 'number') return Number(text);
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks = await request.toArray();
  if (chunks.length === 0) return undefined;
  const value: unknown = JSON.parse(Buffer.concat(chunks as Buffer[]).toString());
  return isRecord(value) ? value : JSON.stringify(value);
}
