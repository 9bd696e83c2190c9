import type { IncomingMessage, ServerResponse } from 'node:http';
import { apiError, badRequest } from '../api-error.ts';
import type { StoredList } from '../engine/list-objects.ts';
import { scaleOf } from '../engine/scale.ts';
import type { WriteOutcome } from '../engine/write-context.ts';
import type { Caller } from '../operations.ts';
import type { ServedKind } from '../served-kind.ts';
import type { Place } from '../service.ts';
import { statusOf, successStatus } from '../status.ts';
import type { StoredObject } from '../stored-object.ts';
import type { HttpHandlerInit } from './http-handler.ts';
import { type Form, negotiateForm } from './negotiate.ts';
import { partialObject } from './partial-object.ts';
import {
  deleteOptions,
  isTrue,
  listQuery,
  objectBody,
  patchBody,
  writeOptions,
} from './request-options.ts';
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
  await init.service.permit(place, 'create');
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
  await init.service.permit(place, 'update', { name, subresource: about.target.subresource });
  const body = await objectBody(init, about);
  const outcome = await init.service.update(place, name, body, writeOptions(about, warnings));
  return answer(init, about, { outcome, form, code: 200, warnings });
}

async function patch(init: HttpHandlerInit, about: ResourceRequest, name: string): Promise<number> {
  const form = formOf(about);
  const place = singlePlace(about);
  const warnings: string[] = [];
  await init.service.permit(place, 'patch', { name, subresource: about.target.subresource });
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
  const place = singlePlace(about);
  await init.service.permit(place, 'delete', { name });
  const options = await deleteOptions(init, about);
  const outcome = await init.service.delete(place, name, options);
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
  const place = collectionPlace(about);
  await init.service.permit(place, 'deletecollection');
  const options = await deleteOptions(init, about);
  const objects = await init.service.deleteCollection(place, listQuery(about.query), options);
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
