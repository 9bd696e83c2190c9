import { createHash } from 'node:crypto';
import type { ServedKind } from '../served-kind.ts';

/** OpenAPI v3 documents by path below `/openapi/v3`, made once. */
export type OpenApiDocuments = ReadonlyMap<string, string>;

const query = (name: string, type: string, description: string): unknown => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
});

const listParameters = [
  query('labelSelector', 'string', 'Only objects whose labels match.'),
  query('fieldSelector', 'string', 'Only objects whose fields match.'),
  query('limit', 'integer', 'At most this many a page.'),
  query('continue', 'string', 'The next page of an earlier list.'),
  query('resourceVersion', 'string', 'How new what is answered has to be.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant.'),
  query('watch', 'boolean', 'Answer with changes as they come.'),
  query('allowWatchBookmarks', 'boolean', 'Whether changes may include bookmarks.'),
  query('sendInitialEvents', 'boolean', 'Whether a watch begins with the current state.'),
  query('timeoutSeconds', 'integer', 'End a watch after this.'),
];
const writeParameters = [
  query('dryRun', 'string', 'All: check everything and store nothing.'),
  query('fieldManager', 'string', 'Who owns the fields this sets.'),
  // kubectl validates on the server where it finds this parameter on PATCH.
  query('fieldValidation', 'string', 'Strict, Warn or Ignore: what unknown fields lead to.'),
];
const deleteParameters = [
  query('dryRun', 'string', 'All: check everything and store nothing.'),
  query('propagationPolicy', 'string', 'What becomes of dependents.'),
];

export function createOpenApi(kinds: readonly ServedKind[], version: string): OpenApiDocuments {
  const documents = new Map<string, string>();
  const index: Record<string, unknown> = {};
  for (const [path, members] of Map.groupBy(kinds, (kind) => pathOf(kind))) {
    const text = JSON.stringify(document(members, path, version));
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase();
    documents.set(`/openapi/v3/${path}`, text);
    index[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  documents.set('/openapi/v3', JSON.stringify({ paths: index }));
  return documents;
}

function pathOf({ group, version }: ServedKind): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

function document(
  kinds: readonly ServedKind[],
  path: string,
  version: string,
): Readonly<Record<string, unknown>> {
  const paths: Record<string, unknown> = {};
  const schemas: Record<string, unknown> = {};
  for (const kind of kinds) {
    const { group, kind: name } = kind;
    const schemaName = schemaNameOf(kind);
    const gvk = { group, version: kind.version, kind: name };
    schemas[schemaName] = { ...kind.schema, 'x-kubernetes-group-version-kind': [gvk] };
    schemas[`${schemaName}List`] = {
      type: 'object',
      description: `A list of ${name}.`,
      required: ['items'],
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { type: 'object' },
        items: { type: 'array', items: { $ref: `#/components/schemas/${schemaName}` } },
      },
      'x-kubernetes-group-version-kind': [{ ...gvk, kind: `${name}List` }],
    };
    const base = `/${path}/${kind.namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}`;
    if (kind.namespaced) {
      paths[`/${path}/${kind.plural}`] = { get: operation(kind, 'list', listParameters) };
    }
    paths[base] = {
      get: operation(kind, 'list', listParameters),
      post: operation(kind, 'post', writeParameters),
      delete: operation(kind, 'deletecollection', [...listParameters, ...deleteParameters]),
    };
    const single = {
      get: operation(kind, 'get', []),
      put: operation(kind, 'put', writeParameters),
      patch: operation(kind, 'patch', [
        ...writeParameters,
        query('force', 'boolean', 'Apply: take over fields that others own.'),
      ]),
    };
    paths[`${base}/{name}`] = {
      ...single,
      delete: operation(kind, 'delete', deleteParameters),
    };
    if (kind.hasStatus) paths[`${base}/{name}/status`] = single;
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Tapline', version },
    paths,
    components: { schemas },
  };
}

function schemaNameOf({ group, version, kind }: ServedKind): string {
  if (group === '') return `io.k8s.api.core.${version}.${kind}`;
  return `${group.split('.').toReversed().join('.')}.${version}.${kind}`;
}

const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
];

function operation(
  kind: ServedKind,
  action: string,
  parameters: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const list = action === 'list' || action === 'deletecollection';
  const $ref = `#/components/schemas/${schemaNameOf(kind)}${list ? 'List' : ''}`;
  const content = { 'application/json': { schema: { $ref } } };
  const { group, version, kind: name } = kind;
  return {
    description: `${action} ${name}`,
    operationId: `${action}${name}`,
    parameters,
    ...(action === 'post' || action === 'put' ? { requestBody: { content, required: true } } : {}),
    ...(action === 'patch'
      ? {
          requestBody: {
            content: Object.fromEntries(
              patchTypes.map((type) => [type, { schema: { type: 'object' } }]),
            ),
            required: true,
          },
        }
      : {}),
    responses: { '200': { description: 'OK', content } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind: name },
  };
}
