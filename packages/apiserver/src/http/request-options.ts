import { defined, isRecord } from '@tapline/base';
import { apiError, badRequest } from '../api-error.ts';
import type { EnginePatch } from '../engine/engine.ts';
import { maxManagerLength } from '../fields/managed-fields.ts';
import type { DeleteQuery, ListQuery } from '../operations.ts';
import { protobufMediaType } from '../protobuf/decode-object.ts';
import type { WriteOptions } from '../service.ts';
import type { HttpHandlerInit } from './http-handler.ts';
import { mediaType } from './media-type.ts';
import { parseBody, parseObjectBody } from './parse-body.ts';
import { readBody } from './read-body.ts';
import type { ResourceRequest } from './serve-resource.ts';

/** What a list or watch asks for. */
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

/** A whole number of a query. */
export function count(name: string, text: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw badRequest(`${name} must be a whole number, not ${JSON.stringify(text.slice(0, 64))}`);
}

/** A flag of a query, as Go reads it. */
export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1' || value === '';
}

/** What a write's query says; warnings are collected for its answer. */
export function writeOptions(
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

/** The object that a request brings. */
export async function objectBody(
  { limits }: HttpHandlerInit,
  { request }: ResourceRequest,
): Promise<unknown> {
  const type = mediaType(request);
  if (!objectTypes.includes(type) && type !== '') throw unsupported(objectTypes);
  return parseObjectBody(await readBody(request, limits.maxBodyBytes), type);
}

/** The patch that a request brings, by its media type. */
export async function patchBody(
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
export async function deleteOptions(
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
