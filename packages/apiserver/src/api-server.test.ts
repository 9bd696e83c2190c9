import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serveForTest, type TestServer } from './testing/serve-for-test.ts';

let server: TestServer;
beforeEach(async () => {
  server = await serveForTest();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const deliveries = '/apis/tapline.dev/v1alpha1/deliveries';
const devices = '/apis/tapline.dev/v1alpha1/devices';

function delivery(name: string, spec: object = {}): object {
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Delivery',
    metadata: { name },
    spec: { package: { formula: 'jq' }, selector: {}, ...spec },
  };
}

function device(name: string): object {
  return { metadata: { name }, spec: { platform: 'linux/arm64' } };
}

function metadataOf(body: Record<string, unknown>): Record<string, unknown> {
  return body['metadata'] as Record<string, unknown>;
}

function messageOf(body: Record<string, unknown>): string {
  return body['message'] as string;
}

test('an object is created with identity, defaults and ownership', async () => {
  const { status, body } = await server.send('POST', `${deliveries}?fieldManager=me`, {
    body: delivery('jq'),
  });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Delivery',
    metadata: { name: 'jq', generation: 1 },
    spec: { package: { formula: 'jq' }, rollout: 1 },
  });
  expect(metadataOf(body)['uid']).toMatch(/^[0-9a-f-]{36}$/);
  expect(metadataOf(body)['managedFields']).toEqual([
    expect.objectContaining({
      manager: 'me',
      operation: 'Update',
      fieldsV1: {
        'f:spec': { 'f:package': { 'f:formula': {} }, 'f:rollout': {}, 'f:selector': {} },
      },
    }),
  ]);
  const again = await server.send('POST', deliveries, { body: delivery('jq') });
  expect(again).toMatchObject({ status: 409, body: { reason: 'AlreadyExists' } });
});

test('generateName adds five characters', async () => {
  const body = { metadata: { generateName: 'd-' }, spec: { platform: 'linux/arm64' } };
  const answer = await server.send('POST', devices, { body });
  expect(metadataOf(answer.body)['name']).toMatch(/^d-[a-z0-9]{5}$/);
});

test('each wrong field is named with its limit', async () => {
  const { status, body } = await server.send('POST', deliveries, {
    body: delivery('bad', { rollout: 0, strategy: { waves: ['101%'] }, package: { formula: 7 } }),
  });
  expect(status).toBe(422);
  expect(body['reason']).toBe('Invalid');
  const { causes } = body['details'] as { causes: { field: string; message: string }[] };
  expect(causes.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'spec.package.formula: Invalid value: 7: must be of type string',
    'spec.rollout: Invalid value: 0: must be at least 1',
    'spec.strategy.waves[0]: Invalid value: "101%": must match /^(100|[1-9]?[0-9])%$/',
  ]);
});

test('a missing field is required, a bad name and label are refused', async () => {
  const { body } = await server.send('POST', deliveries, {
    body: { metadata: { name: 'x' }, spec: { selector: {} } },
  });
  expect(messageOf(body)).toContain('spec.package: Required value');
  const named = await server.send('POST', devices, {
    body: { metadata: { name: 'Bad_Name', labels: { a: '!' } }, spec: { platform: 'a/b' } },
  });
  expect(named.status).toBe(422);
  expect(messageOf(named.body)).toContain('metadata.name: Invalid value: "Bad_Name"');
  expect(messageOf(named.body)).toContain('metadata.labels: Invalid value: "!"');
});

test('unknown fields: Strict refuses, Warn drops with a warning, Ignore drops', async () => {
  const body = delivery('u', { nope: 1, strategy: { waves: ['50%'], extra: {} } });
  const strict = await server.send('POST', `${deliveries}?fieldValidation=Strict`, { body });
  expect(strict.status).toBe(400);
  expect(messageOf(strict.body)).toBe(
    'Delivery in version "v1alpha1" cannot be handled as a Delivery: strict decoding error: unknown field "spec.strategy.extra", unknown field "spec.nope"',
  );
  const warned = await server.send('POST', `${deliveries}?fieldValidation=Warn&dryRun=All`, {
    body,
  });
  expect(warned.status).toBe(201);
  expect(warned.headers.get('warning')).toContain(String.raw`299 - "unknown field \"spec.nope\""`);
  const ignored = await server.send('POST', `${deliveries}?fieldValidation=Ignore`, { body });
  expect(ignored.headers.get('warning')).toBeNull();
  expect(ignored.body['spec']).not.toHaveProperty('nope');
});

test('bodies that are too large, too deep, or no JSON are refused', async () => {
  const large = await server.send('POST', devices, { body: `{"a":"${'x'.repeat(4_000_000)}"}` });
  expect(large).toMatchObject({ status: 413, body: { reason: 'RequestEntityTooLarge' } });
  const deep = await server.send('POST', devices, { body: '['.repeat(100_000) });
  expect(deep.status).toBe(400);
  expect(messageOf(deep.body)).toContain('deeper than 100');
  const broken = await server.send('POST', devices, { body: '{"a":' });
  expect(broken).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
  const type = await server.send('POST', devices, { body: 'x', type: 'text/plain' });
  expect(type.status).toBe(415);
});

test('a dry run checks everything and stores nothing', async () => {
  const before = server.store.revision;
  const ok = await server.send('POST', `${devices}?dryRun=All`, { body: device('d') });
  expect(ok.status).toBe(201);
  expect(server.store.revision).toBe(before);
  expect((await server.send('GET', `${devices}/d`)).status).toBe(404);
  expect((await server.send('POST', `${devices}?dryRun=Some`, { body: device('d') })).status).toBe(
    400,
  );
});

test('of two writes from one revision the second is a conflict', async () => {
  const { body } = await server.send('POST', devices, { body: device('d') });
  const one = { ...body, spec: { platform: 'linux/amd64' } };
  const other = { ...body, spec: { platform: 'ios/arm64' } };
  const answers = await Promise.all([
    server.send('PUT', `${devices}/d`, { body: one }),
    server.send('PUT', `${devices}/d`, { body: other }),
  ]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  const lost = answers.find(({ status }) => status === 409);
  expect(messageOf(lost?.body ?? {})).toContain('the object has been modified');
  const { resourceVersion: _revision, ...metadata } = metadataOf(body);
  const blind = await server.send('PUT', `${devices}/d`, { body: { ...body, metadata } });
  expect(blind.status).toBe(422);
});

test('patches that race each other all take effect', async () => {
  await server.send('POST', devices, { body: device('d') });
  const names = Array.from({ length: 10 }, (_, index) => `k${index}`);
  const answers = await Promise.all(
    names.map((name) =>
      server.send('PATCH', `${devices}/d`, {
        body: { metadata: { labels: { [name]: 'v' } } },
        type: 'application/merge-patch+json',
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
  const { body } = await server.send('GET', `${devices}/d`);
  expect(Object.keys(metadataOf(body)['labels'] as object).toSorted()).toEqual(names);
});

test('status is written through its subresource only, and moves no generation', async () => {
  await server.send('POST', devices, {
    body: { ...device('d'), status: { agentVersion: 'smuggled' } },
  });
  const created = await server.send('GET', `${devices}/d`);
  expect(created.body['status']).toBeUndefined();
  const patched = await server.send('PATCH', `${devices}/d/status`, {
    body: { status: { agentVersion: '1' }, spec: { platform: 'ios/arm64' } },
    type: 'application/merge-patch+json',
  });
  expect(patched.body).toMatchObject({
    metadata: { generation: 1 },
    spec: { platform: 'linux/arm64' },
    status: { agentVersion: '1' },
  });
  const spec = await server.send('PATCH', `${devices}/d`, {
    body: { spec: { platform: 'ios/arm64' }, status: { agentVersion: '2' } },
    type: 'application/merge-patch+json',
  });
  expect(spec.body).toMatchObject({
    metadata: { generation: 2 },
    status: { agentVersion: '1' },
  });
});

test('a write that changes nothing takes no revision', async () => {
  const { body } = await server.send('POST', devices, { body: device('d') });
  const again = await server.send('PUT', `${devices}/d`, { body });
  expect(metadataOf(again.body)['resourceVersion']).toBe(metadataOf(body)['resourceVersion']);
});

test('finalizers hold a deletion until they are gone', async () => {
  await server.send('POST', devices, {
    body: { metadata: { name: 'd', finalizers: ['x/y'] }, spec: { platform: 'a/b' } },
  });
  const deleted = await server.send('DELETE', `${devices}/d`);
  expect(metadataOf(deleted.body)['deletionTimestamp']).toBeDefined();
  const added = await server.send('PATCH', `${devices}/d`, {
    body: { metadata: { finalizers: ['x/y', 'x/z'] } },
    type: 'application/merge-patch+json',
  });
  expect(messageOf(added.body)).toContain('no new finalizers can be added');
  await server.send('PATCH', `${devices}/d`, {
    body: [{ op: 'remove', path: '/metadata/finalizers' }],
    type: 'application/json-patch+json',
  });
  expect((await server.send('GET', `${devices}/d`)).status).toBe(404);
});

test('deletion keeps preconditions and stores the propagation policy', async () => {
  const { body } = await server.send('POST', devices, { body: device('d') });
  const { uid } = metadataOf(body);
  const other = await server.send('DELETE', `${devices}/d`, {
    body: { preconditions: { uid: 'another' } },
  });
  expect(other.status).toBe(409);
  const foreground = await server.send('DELETE', `${devices}/d?propagationPolicy=Foreground`, {
    body: { preconditions: { uid } },
  });
  expect(metadataOf(foreground.body)['finalizers']).toEqual(['foregroundDeletion']);
});

test('deletecollection deletes what the selector names', async () => {
  for (const name of ['a', 'b', 'c']) {
    const labels = { keep: name === 'c' ? 'yes' : 'no' };
    const body = { metadata: { name, labels }, spec: { platform: 'a/b' } };
    await server.send('POST', devices, { body });
  }
  const { body } = await server.send('DELETE', `${devices}?labelSelector=keep%3Dno`);
  expect(body['items']).toHaveLength(2);
  const left = await server.send('GET', devices);
  expect((left.body['items'] as unknown[]).length).toBe(1);
});

test('pages of a list are of one revision, and expire with it', async () => {
  for (let index = 0; index < 7; index += 1) {
    await server.send('POST', devices, { body: device(`d${index}`) });
  }
  const first = await server.send('GET', `${devices}?limit=3`);
  expect(metadataOf(first.body)).toMatchObject({ remainingItemCount: 4 });
  await server.send('POST', devices, { body: device('d9') });
  const next = String(metadataOf(first.body)['continue']);
  const second = await server.send('GET', `${devices}?limit=10&continue=${next}`);
  const names = (second.body['items'] as { metadata: { name: string } }[]).map(
    ({ metadata }) => metadata.name,
  );
  expect(names).toEqual(['d3', 'd4', 'd5', 'd6']);
  expect(metadataOf(second.body)['resourceVersion']).toBe(
    metadataOf(first.body)['resourceVersion'],
  );
  await server.store.compact(server.store.revision);
  const late = await server.send('GET', `${devices}?limit=3&continue=${next}`);
  expect(late).toMatchObject({ status: 410, body: { reason: 'Expired' } });
  const forged = await server.send('GET', `${devices}?continue=e30`);
  expect(forged.status).toBe(400);
});

test('selectors: labels, fields, and what cannot be selected by', async () => {
  for (const [name, formula] of [
    ['a', 'jq'],
    ['b', 'wget'],
  ]) {
    await server.send('POST', deliveries, {
      body: delivery(name ?? '', { package: { formula } }),
    });
  }
  const found = await server.send('GET', `${deliveries}?fieldSelector=spec.package.formula%3Djq`);
  expect(found.body['items']).toMatchObject([{ metadata: { name: 'a' } }]);
  const not = await server.send('GET', `${deliveries}?fieldSelector=metadata.name!%3Da`);
  expect(not.body['items']).toMatchObject([{ metadata: { name: 'b' } }]);
  const refused = await server.send('GET', `${deliveries}?fieldSelector=spec.x%3Djq`);
  expect(messageOf(refused.body)).toContain('field label not supported: spec.x');
  expect((await server.send('GET', `${deliveries}?labelSelector=a%20in`)).status).toBe(400);
});

test('tables and metadata-only answers', async () => {
  await server.send('POST', devices, { body: device('d') });
  const table = await server.send('GET', devices, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
  });
  expect(table.body).toMatchObject({
    kind: 'Table',
    rows: [
      {
        cells: [
          'd',
          'linux/arm64',
          null,
          '<unknown>',
          null,
          null,
          null,
          expect.stringMatching(/s$/),
        ],
        object: { kind: 'PartialObjectMetadata', metadata: { name: 'd' } },
      },
    ],
  });
  const { columnDefinitions } = table.body as { columnDefinitions: { name: string }[] };
  expect(columnDefinitions.map(({ name }) => name)).toContain('Platform');
  const partial = await server.send('GET', devices, {
    headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
  });
  expect(partial.body).toMatchObject({
    kind: 'PartialObjectMetadataList',
    items: [{ kind: 'PartialObjectMetadata' }],
  });
  const none = await server.send('GET', devices, { headers: { accept: 'image/png' } });
  expect(none.status).toBe(406);
});

test('namespaced kinds need their namespace to exist', async () => {
  const lease = { metadata: { name: 'l' }, spec: { holderIdentity: 'me' } };
  const path = '/apis/coordination.k8s.io/v1/namespaces';
  const missing = await server.send('POST', `${path}/nowhere/leases`, { body: lease });
  expect(messageOf(missing.body)).toBe('namespaces "nowhere" not found');
  const created = await server.send('POST', `${path}/default/leases`, { body: lease });
  expect(created.status).toBe(201);
  const all = await server.send('GET', '/apis/coordination.k8s.io/v1/leases');
  expect(all.body['items']).toMatchObject([{ metadata: { namespace: 'default' } }]);
});

test('discovery, OpenAPI and health', async () => {
  const groups = await server.send('GET', '/apis');
  expect(JSON.stringify(groups.body)).toContain('"tapline.dev/v1alpha1"');
  const aggregated = await server.send('GET', '/apis', {
    headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
  });
  expect(aggregated.headers.get('content-type')).toContain('v=v2');
  const index = await server.send('GET', '/openapi/v3');
  const paths = index.body['paths'] as Record<string, { serverRelativeURL: string }>;
  const url = paths['apis/tapline.dev/v1alpha1']?.serverRelativeURL ?? '';
  const document = await server.send('GET', url);
  expect(JSON.stringify(document.body)).toContain('fieldValidation');
  for (const path of ['/healthz', '/readyz', '/livez', '/version']) {
    expect((await server.send('GET', path, { bearer: undefined })).status).toBe(200);
  }
  await server.send('GET', `${devices}/none`);
  const metrics = await server.send('GET', '/metrics');
  expect(metrics.body['text']).toMatch(
    /seconds_count\{verb="get",resource="devices",code="404"\} 1/,
  );
  expect((await server.send('GET', '/metrics', { bearer: undefined })).status).toBe(403);
});

test('whoever sends its headers slowly loses its connection', async () => {
  const http = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50 };
  await using strict = await serveForTest({ http });
  const socket = connect(strict.port, '127.0.0.1');
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });
  expect(answer).toContain('408 Request Timeout');
});
