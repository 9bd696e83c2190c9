import type { IncomingMessage, ServerResponse } from 'node:http';
import { apiError, badRequest } from '../api-error.ts';
import type { EnginePatch } from '../engine/engine.ts';
import type { StoredList } from '../engine/list-objects.ts';
import { scaleOf } from '../engine/scale.ts';
import type { WriteOutcome } from '../engine/write-context.ts';
import { maxManagerLength } from '../fields/managed-fields.ts';
import { isRecord } from '../fields/list-items.ts';
import type { Caller, DeleteQuery, ListQuery } from '../operations.ts';
import type { ServedKind } from '../served-kind.ts';
import type { Place, WriteOptions } from '../service.ts';
import { protobufMediaType } from '../protobuf/decode-object.ts';
import { statusOf, successStatus } from '../status.ts';
import type { StoredObject } from '../stored-object.ts';
import type { HttpHandlerInit } from './http-handler.ts';
import { type Form, negotiateForm } from './negotiate.ts';
import { mediaType } from './media-type.ts';
import { parseBody, parseObjectBody } from './parse-body.ts';
import { partialObject } from './partial-object.ts';
import { readBody } from './read-body.ts';
import type { RequestPath } from './request-path.ts';
import { sendJson } from './respond.ts';
import { serveWatch } from './serve-watch.ts';
import { type IncludeObject, tableOf } from './table.ts';

export interface ResourceRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Extract<RequestPath, { kind: 'resource' }>;
  readonly kind: ServedKind;
  readonly caller: Caller;
  readonly query: URLSearchParams;
}

/** Serves a request about stored objects. */
export async function serveResource(init: HttpHandlerInit, about: ResourceRequest): Promise<void> {
  const { kind } = about;
  const start = init.clock.monotonic();
  const { verb, run } = dispatch(init, about);
  const observe = (code: number): void => {
    if (verb === 'watch') return;
    const seconds = (init.clock.monotonic() - start) / 1000;
    init.metrics.observe(verb, kind.plural, code, seconds);
  };
  try {
    observe(await run());
  } catch (error) {
    observe(statusOf(error).code);
    throw error;
  }
}

interface Dispatched {
  readonly verb: string;
  /** Answers, and says with which code. */
  readonly run: () => Promise<number>;
}

function dispatch(init: HttpHandlerInit, about: ResourceRequest): Dispatched {
  const { request, target, query } = about;
  const { name, subresource } = target;
  checkSubresource(about);
  if (name === undefined) {
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return isTrue(query.get('watch'))
          ? { verb: 'watch', run: () => serveWatch(init, about) }
          : { verb: 'list', run: () => list(init, about) };
      case 'POST':
        return { verb: 'create', run: () => create(init, about) };
      case 'DELETE':
        return { verb: 'deletecollection', run: () => deleteCollection(init, about) };
      default:
        throw notAllowed(about);
    }
  }
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return { verb: 'get', run: () => get(init, about, name) };
    case 'PUT':
      return { verb: 'update', run: () => update(init, about, name) };
    case 'PATCH':
      return { verb: 'patch', run: () => patch(init, about, name) };
    case 'DELETE':
      if (subresource !== undefined) throw notAllowed(about);
      return { verb: 'delete', run: () => remove(init, about, name) };
    default:
      throw notAllowed(about);
  }
}

function checkSubresource({ kind, target }: ResourceRequest): void {
  const { subresource } = target;
  if (subresource === undefined) return;
  if (subresource === 'status' && kind.hasStatus) return;
  if (subresource === 'scale' && kind.scale !== undefined) return;
  throw apiError('not_found', 'the server could not find the requested resource');
}

function notAllowed({ request }: ResourceRequest): Error {
  return apiError(
    'method_not_allowed',
    `the server does not allow this method on the requested resource: ${request.method}`,
  );
}

/** Where a request about one object, or a creation, is about. */
function singlePlace({ kind, caller, target }: ResourceRequest): Place {
  if (!kind.namespaced) {
    if (target.namespace !== undefined) {
      throw apiError('not_found', 'the server could not find the requested resource');
    }
    return { kind, caller, namespace: undefined };
  }
  if (target.namespace === undefined) {
    throw apiError('not_found', `${kind.kind} is namespaced: the path has to name a namespace`);
  }
  return { kind, caller, namespace: target.namespace };
}

export function collectionPlace({ kind, caller, target }: ResourceRequest): Place {
  return { kind, caller, namespace: kind.namespaced ? target.namespace : undefined };
}

export function formOf({ request }: ResourceRequest): Form {
  const form = negotiateForm(request.headers.accept);
  if (form !== undefined) return form;
  throw apiError(
    'not_acceptable',
    'only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  );
}

export function includeObjectOf({ query }: ResourceRequest): IncludeObject {
  const value = query.get('includeObject');
  return value === 'None' || value === 'Object' ? value : 'Metadata';
}

async function get(
  { service, clock }: HttpHandlerInit,
  about: ResourceRequest,
  name: string,
): Promise<number> {
  const form = formOf(about);
  const place = singlePlace(about);
  const { subresource } = about.target;
  if (subresource === 'scale') {
    await sendJson(about.response, 200, JSON.stringify(await service.getScale(place, name)));
    return 200;
  }
  const stored = await service.get(place, name, subresource);
  await sendJson(about.response, 200, textOf(about, stored, { form, nowMs: clock.now() }));
  return 200;
}

async function list(init: HttpHandlerInit, about: ResourceRequest): Promise<number> {
  const form = formOf(about);
  const found = await init.service.list(collectionPlace(about), listQuery(about.query));
  const text = listText(about, found, { form, nowMs: init.clock.now() });
  await sendJson(about.response, 200, text);
  return 200;
}

async function create(init: HttpHandlerInit, about: ResourceRequest): Promise<number> {
  const form = formOf(about);
  const place = singlePlace(about);
  const warnings: string[] = [];
  const body = await objectBody(init, about);
  const outcome = await init.service.create(place, body, writeOptions(about, warnings));
  return answer(init, about, { outcome, form, code: 201, warnings });
}

async function update(
  init: HttpHandlerInit,
  about: ResourceRequest,
  name: string,
): Promise<number> {
  const form = formOf(about);
  const place = singlePlace(about);
  const warnings: string[] = [];
  const body = await objectBody(init, about);
  const outcome = await init.service.update(place, name, body, writeOptions(about, warnings));
  return answer(init, about, { outcome, form, code: 200, warnings });
}

async function patch(init: HttpHandlerInit, about: ResourceRequest, name: string): Promise<number> {
  const form = formOf(about);
  const place = singlePlace(about);
  const warnings: string[] = [];
  const wanted = await patchBody(init, about);
  const options = writeOptions(about, warnings);
  if (wanted.kind === 'apply' && about.query.get('fieldManager') === null) {
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const outcome = await init.service.patch(place, name, wanted, options);
  const code = outcome.kind === 'created' ? 201 : 200;
  return answer(init, about, { outcome, form, code, warnings });
}

async function remove(
  init: HttpHandlerInit,
  about: ResourceRequest,
  name: string,
): Promise<number> {
  const form = formOf(about);
  const options = await deleteOptions(init, about);
  const outcome = await init.service.delete(singlePlace(about), name, options);
  if (outcome.kind !== 'deleted') {
    return answer(init, about, { outcome, form, code: 200, warnings: [] });
  }
  const { uid = '' } = outcome.stored.object.metadata;
  const { group, plural } = about.kind;
  const status = successStatus({ name, group, kind: plural, uid });
  await sendJson(about.response, 200, JSON.stringify(status));
  return 200;
}

async function deleteCollection(init: HttpHandlerInit, about: ResourceRequest): Promise<number> {
  const form = formOf(about);
  const options = await deleteOptions(init, about);
  const objects = await init.service.deleteCollection(
    collectionPlace(about),
    listQuery(about.query),
    options,
  );
  const revision = Math.max(0, ...objects.map((one) => one.revision));
  const text = listText(about, { objects, revision }, { form, nowMs: init.clock.now() });
  await sendJson(about.response, 200, text);
  return 200;
}

async function answer(
  { clock }: HttpHandlerInit,
  about: ResourceRequest,
  result: {
    readonly outcome: WriteOutcome;
    readonly form: Form;
    readonly code: number;
    readonly warnings: readonly string[];
  },
): Promise<number> {
  const { outcome, form, code, warnings } = result;
  const text =
    about.target.subresource === 'scale'
      ? JSON.stringify(scaleOf(about.kind, outcome.stored.object))
      : textOf(about, outcome.stored, { form, nowMs: clock.now() });
  await sendJson(about.response, code, text, { warnings });
  return code;
}

interface Rendering {
  readonly form: Form;
  readonly nowMs: number;
}

function textOf(about: ResourceRequest, stored: StoredObject, { form, nowMs }: Rendering): string {
  switch (form) {
    case 'json':
      return stored.text;
    case 'partial':
      return JSON.stringify(partialObject(stored.object));
    case 'table':
      return JSON.stringify(
        tableOf(about.kind, [stored.object], {
          includeObject: includeObjectOf(about),
          nowMs,
          resourceVersion: String(stored.revision),
          columns: true,
        }),
      );
  }
}

function listText(about: ResourceRequest, found: StoredList, { form, nowMs }: Rendering): string {
  const { kind } = about;
  const resourceVersion = String(found.revision);
  if (form === 'table') {
    const objects = found.objects.map(({ object }) => object);
    return JSON.stringify(
      tableOf(kind, objects, {
        includeObject: includeObjectOf(about),
        nowMs,
        resourceVersion,
        columns: true,
        continue: found.continue,
        remaining: found.remaining,
      }),
    );
  }
  const metadata = JSON.stringify({
    resourceVersion,
    ...(found.continue === undefined ? {} : { continue: found.continue }),
    ...(found.remaining === undefined ? {} : { remainingItemCount: found.remaining }),
  });
  const [listKind, apiVersion] =
    form === 'partial'
      ? ['PartialObjectMetadataList', 'meta.k8s.io/v1']
      : [`${kind.kind}List`, kind.apiVersion];
  const items = found.objects.map((stored) =>
    form === 'partial' ? JSON.stringify(partialObject(stored.object)) : stored.text,
  );
  return `{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${metadata},"items":[${items.join(',')}]}`;
}

export function listQuery(query: URLSearchParams): ListQuery {
  const limit = query.get('limit');
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  return defined({
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    continue: text('continue'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
    limit: limit === null || limit === '' ? undefined : count('limit', limit),
  });
}

export function count(name: string, text: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw badRequest(`${name} must be a whole number, not ${JSON.stringify(text.slice(0, 64))}`);
}

export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1' || value === '';
}

function writeOptions(
  { query, target, caller }: ResourceRequest,
  warnings: string[],
): WriteOptions {
  const { subresource } = target;
  const manager = query.get('fieldManager') ?? (caller.userAgent ?? 'unknown').split('/')[0] ?? '';
  if (manager.length > maxManagerLength) {
    throw badRequest(`fieldManager of ${manager.length} characters exceeds ${maxManagerLength}`);
  }
  return {
    ...(subresource === 'status' || subresource === 'scale' ? { subresource } : {}),
    manager,
    dryRun: dryRunOf(query.getAll('dryRun')),
    fieldValidation: fieldValidationOf(query.get('fieldValidation')),
    warn: (message) => warnings.push(message),
  };
}

function dryRunOf(values: readonly unknown[]): boolean {
  for (const value of values) {
    if (value !== 'All' && value !== '') {
      throw badRequest(
        `dryRun: Unsupported value: ${JSON.stringify(value)}: supported values: "All"`,
      );
    }
  }
  return values.includes('All');
}

function fieldValidationOf(value: string | null): WriteOptions['fieldValidation'] {
  switch (value) {
    case null:
    case '':
    case 'Warn':
      return 'Warn';
    case 'Strict':
    case 'Ignore':
      return value;
    default:
      throw badRequest(
        `fieldValidation: Unsupported value: ${JSON.stringify(value.slice(0, 64))}: supported values: "Ignore", "Strict", "Warn"`,
      );
  }
}

const objectTypes = ['application/json', 'application/yaml', protobufMediaType];

async function objectBody(
  { limits }: HttpHandlerInit,
  { request }: ResourceRequest,
): Promise<unknown> {
  const type = mediaType(request);
  if (!objectTypes.includes(type) && type !== '') throw unsupported(objectTypes);
  return parseObjectBody(await readBody(request, limits.maxBodyBytes), type);
}

async function patchBody(
  { limits }: HttpHandlerInit,
  { request, kind, query }: ResourceRequest,
): Promise<EnginePatch> {
  const type = mediaType(request);
  const read = async (yaml: boolean): Promise<unknown> =>
    parseBody(await readBody(request, limits.maxBodyBytes), { yaml });
  switch (type) {
    case 'application/json-patch+json':
      return { kind: 'json', body: await read(false) };
    case 'application/merge-patch+json':
      return { kind: 'merge', body: await read(false) };
    case 'application/apply-patch+yaml':
      return {
        kind: 'apply',
        body: await read(true),
        force: isTrue(query.get('force') ?? 'false'),
      };
    case 'application/strategic-merge-patch+json':
      // As in Kubernetes: for its own kinds, not for custom resources.
      if (!kind.hasStatus) return { kind: 'strategic', body: await read(false) };
      break;
    default:
      break;
  }
  throw unsupported([
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/apply-patch+yaml',
    ...(kind.hasStatus ? [] : ['application/strategic-merge-patch+json']),
  ]);
}

function unsupported(accepted: readonly string[]): Error {
  return apiError(
    'unsupported_media_type',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** DeleteOptions come in the body, in the query, or both. */
async function deleteOptions(
  { limits }: HttpHandlerInit,
  { request, query }: ResourceRequest,
): Promise<DeleteQuery> {
  const bytes = await readBody(request, limits.maxBodyBytes);
  const body = bytes.length === 0 ? {} : parseObjectBody(bytes, mediaType(request));
  if (!isRecord(body)) throw badRequest('the body must be DeleteOptions');
  const preconditions = isRecord(body['preconditions']) ? body['preconditions'] : {};
  const { uid, resourceVersion } = preconditions;
  const inBody = Array.isArray(body['dryRun']) ? body['dryRun'] : [];
  const orphan = body['orphanDependents'];
  return defined({
    uid: typeof uid === 'string' ? uid : undefined,
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : undefined,
    propagationPolicy: propagationOf(
      query.get('propagationPolicy') ??
        body['propagationPolicy'] ??
        (orphan === true ? 'Orphan' : undefined),
    ),
    dryRun: dryRunOf([...query.getAll('dryRun'), ...inBody]),
  });
}

function propagationOf(value: unknown): DeleteQuery['propagationPolicy'] {
  switch (value) {
    case undefined:
    case null:
    case '':
      return undefined;
    case 'Background':
    case 'Foreground':
    case 'Orphan':
      return value;
    default:
      throw badRequest(
        `propagationPolicy: Unsupported value: ${JSON.stringify(value)}: supported values: "Background", "Foreground", "Orphan"`,
      );
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined),
  ) as Defined<T>;
}
