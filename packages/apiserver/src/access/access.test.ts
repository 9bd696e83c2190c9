import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  allocationResource,
  attachmentResource,
  channelEdgeResource,
  channelResource,
  deviceKeyAnnotation,
  deviceResource,
  installResource,
  nodeResource,
  segmentResource,
} from '@tapline/resources';
import type { Caller, Operations } from '../operations.ts';
import { serveForTest, type TestServer } from '../testing/serve-for-test.ts';

let server: TestServer;
beforeEach(async () => {
  server = await serveForTest();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const devices = '/apis/tapline.dev/v1alpha1/devices';

function install(device: string): object {
  return {
    metadata: { name: `${device}.jq` },
    spec: {
      device,
      delivery: 'jq',
      formula: 'jq',
      version: '1.7',
      revision: 1,
      image: {
        repository: 'jq',
        digest: `sha256:${'a'.repeat(64)}`,
        platform: 'linux/arm64',
        sizeBytes: 1,
        unpackedBytes: 1,
      },
    },
  };
}

function attachment(node: string): object {
  const intent = { name: node, vtep: '100.112.0.1', underlay: '192.0.2.1' };
  return {
    metadata: { name: `${node}.news` },
    spec: {
      node,
      segment: 'news',
      epoch: 1,
      vxlanPort: 4789,
      self: intent,
      peers: [],
      vni: 4096,
      subnet: '10.7.0.0/24',
      mtu: 1370,
      encryption: { underlay: 'wireguard', link: 'none' },
      communities: {},
      ports: [],
    },
  };
}

function channelEdge(node: string): object {
  return {
    metadata: { name: `${node}.news` },
    spec: {
      channel: 'news',
      node,
      epoch: 1,
      playlist: 'live.m3u8',
      origin: { base: 'https://origin.example/' },
      cache: {},
      pathways: [],
      flush: { generation: 1, soft: false },
      prime: { generation: 1, lastSeconds: 0, objects: [], bytesPerSecond: 1024 },
    },
  };
}

async function twoDevices(): Promise<Operations> {
  const { operations } = server.api;
  for (const name of ['one', 'two']) {
    await operations.create(server.root, deviceResource, {
      metadata: { name, annotations: { [deviceKeyAnnotation]: `key of ${name}` } },
      spec: { platform: 'linux/arm64' },
    });
    await operations.create(server.root, installResource, install(name));
  }
  return operations;
}

const one: Caller = {
  identity: {
    user: 'system:device:one',
    groups: ['system:devices', 'system:authenticated'],
    via: 'certificate',
    key: 'key of one',
  },
};

describe('a device', () => {
  test('reads its own objects and writes their status', async () => {
    const operations = await twoDevices();
    const list = await operations.list(one, installResource, {
      fieldSelector: 'spec.device=one',
    });
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['one.jq']);
    const body = { status: { state: 'Ready' } };
    const status = { kind: 'merge', body } as const;
    const target = { name: 'one.jq' };
    const patched = await operations.patch(one, installResource, target, status, {
      subresource: 'status',
    });
    expect(patched['status']).toEqual({ state: 'Ready' });
    await operations.get(one, installResource, target);
    await operations.get(one, deviceResource, { name: 'one' });
  });

  test('may do nothing else, whatever it tries', async () => {
    await twoDevices();
    const kinds = await server.send('GET', '/apis/tapline.dev/v1alpha1');
    const resources = (kinds.body['resources'] as { name: string }[])
      .map(({ name }) => name)
      .filter((name) => !name.includes('/'));
    expect(resources).toHaveLength(17);
    const verbs = [
      'get',
      'list',
      'watch',
      'create',
      'update',
      'patch',
      'delete',
      'deletecollection',
      'impersonate',
    ];
    const names = ['one', 'two', 'one.jq', 'two.jq', undefined];
    const { createAccessControl } = await import('./authorize.ts');
    const { createDeviceAuthorizer } = await import('./device-authorizer.ts');
    const { RbacPolicy } = await import('./rbac-policy.ts');
    const everything = new RbacPolicy();
    everything.setRole('all', {
      apiVersion: '',
      kind: '',
      metadata: { name: 'all' },
      rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    });
    everything.setBinding('all', {
      apiVersion: '',
      kind: '',
      metadata: { name: 'all' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'all' },
      subjects: [{ kind: 'Group', name: 'system:authenticated' }],
    });
    const access = createAccessControl({
      policy: everything,
      deviceAuthorizer: createDeviceAuthorizer((_group, resource, name) =>
        resource === 'devices' || name.startsWith('one') || name.startsWith('two')
          ? {
              apiVersion: '',
              kind: '',
              metadata: { name, annotations: { [deviceKeyAnnotation]: `key of ${name}` } },
              spec: { device: name.split('.')[0] },
            }
          : undefined,
      ),
    });
    const allowed: string[] = [];
    for (const group of ['tapline.dev', '', 'rbac.authorization.k8s.io', 'coordination.k8s.io']) {
      for (const resource of [...resources, 'clusterroles', 'leases', 'events', 'users']) {
        for (const subresource of ['', 'status', 'exec', 'log', 'scale']) {
          for (const verb of verbs) {
            for (const name of names) {
              for (const selected of ['one', 'two', undefined]) {
                const decision = access.decide({
                  identity: one.identity,
                  verb,
                  group,
                  resource,
                  subresource,
                  namespace: undefined,
                  name,
                  requiredField: (path) => (path === 'spec.device' ? selected : undefined),
                });
                if (decision.allowed) {
                  allowed.push(`${verb} ${resource}/${subresource} ${name} ${selected}`);
                }
              }
            }
          }
        }
      }
    }
    const ofOne = (verb: string, place: string): string[] =>
      ['one', 'two', 'undefined'].map((selected) => `${verb} ${place} ${selected}`);
    expect(new Set(allowed)).toEqual(
      new Set([
        ...names.flatMap((name) => [`list installs/ ${name} one`, `watch installs/ ${name} one`]),
        ...['get', 'update', 'patch'].flatMap((verb) => [
          ...ofOne(verb, 'devices/status one'),
          ...ofOne(verb, 'installs/status one.jq'),
          ...ofOne(verb, 'installs/status one'),
        ]),
        ...ofOne('get', 'devices/ one'),
        ...ofOne('get', 'installs/ one.jq'),
        ...ofOne('get', 'installs/ one'),
      ]),
    );
  });

  test('reaches segments only as a node, and of those its own part', async () => {
    const operations = await twoDevices();
    for (const name of ['one', 'two']) {
      await operations.create(server.root, nodeResource, {
        metadata: { name },
        spec: { device: name },
      });
      await operations.create(server.root, attachmentResource, attachment(name));
      await operations.create(server.root, channelEdgeResource, channelEdge(name));
    }
    const node: Caller = {
      identity: {
        ...one.identity,
        user: 'system:node:one',
        groups: ['system:nodes', 'system:authenticated'],
      },
    };
    const own = { fieldSelector: 'spec.node=one' };
    const list = await operations.list(node, attachmentResource, own);
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['one.news']);
    const body = { status: { observedEpoch: 1, state: 'Ready' } };
    const patch = { kind: 'merge', body } as const;
    const status = { subresource: 'status' } as const;
    await operations.patch(node, attachmentResource, { name: 'one.news' }, patch, status);
    await operations.list(node, channelEdgeResource, own);
    await operations.patch(node, channelEdgeResource, { name: 'one.news' }, patch, status);
    const facts = { kind: 'merge', body: { status: { wireguardKey: 'A=' } } } as const;
    await operations.patch(node, nodeResource, { name: 'one' }, facts, status);
    const refused: readonly (() => Promise<unknown>)[] = [
      () => operations.list(node, attachmentResource, {}),
      () => operations.list(node, attachmentResource, { fieldSelector: 'spec.node=two' }),
      () => operations.get(node, attachmentResource, { name: 'two.news' }),
      () => operations.patch(node, attachmentResource, { name: 'two.news' }, patch, status),
      () => operations.patch(node, nodeResource, { name: 'two' }, facts, status),
      // Its status only: where it is attached is not for it to say.
      () =>
        operations.patch(
          node,
          attachmentResource,
          { name: 'one.news' },
          { kind: 'merge', body: { spec: { epoch: 9 } } },
          {},
        ),
      () => operations.delete(node, attachmentResource, { name: 'one.news' }),
      () => operations.list(node, channelEdgeResource, {}),
      () => operations.patch(node, channelEdgeResource, { name: 'two.news' }, patch, status),
      () => operations.patch(node, channelEdgeResource, { name: 'one.news' }, patch, {}),
      () => operations.list(one, channelEdgeResource, own),
      () => operations.list(node, channelResource, {}),
      () => operations.list(node, segmentResource, {}),
      () => operations.list(node, allocationResource, {}),
      // A device is no node, whatever its name.
      () => operations.list(one, attachmentResource, own),
      () => operations.get(one, nodeResource, { name: 'one' }),
    ];
    for (const attempt of refused) {
      await expect(attempt()).rejects.toMatchObject({ code: 'forbidden' });
    }
  });

  test('is who holds its key: an older certificate for the name, or a token, is not', async () => {
    const operations = await twoDevices();
    const { key: _key, ...keyless } = one.identity;
    for (const identity of [
      { ...one.identity, key: 'the key before' },
      keyless,
      { ...keyless, via: 'token' as const },
    ]) {
      const query = { fieldSelector: 'spec.device=one' };
      await expect(operations.list({ identity }, installResource, query)).rejects.toMatchObject({
        code: 'forbidden',
        message: expect.stringContaining('another key') as string,
      });
    }
  });

  test('that was deleted has lost its access, and one without its group is nobody', async () => {
    const operations = await twoDevices();
    await operations.delete(server.root, deviceResource, { name: 'one' });
    const query = { fieldSelector: 'spec.device=one' };
    await expect(operations.list(one, installResource, query)).rejects.toMatchObject({
      code: 'forbidden',
    });
    const groups = ['system:authenticated'];
    const claimed = { identity: { ...one.identity, groups } };
    await expect(operations.list(claimed, installResource, query)).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});

describe('a body', () => {
  test('is not read from who may not write it', async () => {
    // The rest never comes: there is an answer only where nobody waits for it.
    for (const method of ['POST', 'DELETE', 'PUT', 'PATCH']) {
      const path = method === 'POST' ? devices : `${devices}/one`;
      const socket = connect(server.port, '127.0.0.1');
      const type = 'application/merge-patch+json';
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\n{`,
      );
      const [head] = (await once(socket, 'data')) as [Buffer];
      expect(`${method} ${head.toString()}`).toContain(`${method} HTTP/1.1 403`);
      socket.destroy();
    }
  });

  test('is taken as YAML up to a size that does not hold up others', async () => {
    const text = Array.from({ length: 20_000 }, (_none, index) => `key${index}: 1`).join('\n');
    const answer = await server.send('POST', devices, { body: text, type: 'application/yaml' });
    expect(answer).toMatchObject({ status: 413, body: { reason: 'RequestEntityTooLarge' } });
  });
});

describe('roles', () => {
  test('a viewer reads and an operator writes, and changes of roles act at once', async () => {
    const viewer = await server.token('vic', ['tapline:viewer']);
    const operator = await server.token('olga', ['tapline:operator']);
    const body = { metadata: { name: 'd' }, spec: { platform: 'linux/arm64' } };
    expect((await server.send('POST', devices, { body, bearer: viewer })).status).toBe(403);
    expect((await server.send('POST', devices, { body, bearer: operator })).status).toBe(201);
    expect((await server.send('GET', devices, { bearer: viewer })).status).toBe(200);
    const tokens = '/apis/tapline.dev/v1alpha1/tokens';
    expect((await server.send('GET', tokens, { bearer: viewer })).status).toBe(403);
    const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
    await server.send('DELETE', `${bindings}/viewer`);
    expect((await server.send('GET', devices, { bearer: viewer })).status).toBe(403);
  });

  test('an operator cannot make itself more than it is', async () => {
    const bearer = await server.token('olga', ['tapline:operator']);
    const spec = { purpose: 'Access', hash: 'a'.repeat(64), expiresAt: '2100-01-01T00:00:00Z' };
    const tokens = '/apis/tapline.dev/v1alpha1/tokens';
    const post = (name: string, more: object) =>
      server.send('POST', tokens, {
        bearer,
        body: { metadata: { name }, spec: { ...spec, ...more } },
      });
    expect((await post('a', { user: 'root', groups: ['system:masters'] })).status).toBe(403);
    expect((await post('b', { user: 'olga', groups: ['system:masters'] })).status).toBe(403);
    expect((await post('c', { user: 'olga', groups: ['tapline:operator'] })).status).toBe(201);
    const own = await server.send('PATCH', `${tokens}/c`, {
      bearer,
      body: { spec: { groups: ['system:masters'] } },
      type: 'application/merge-patch+json',
    });
    expect(own.status).toBe(403);
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
    const role = { metadata: { name: 'mine' }, rules: [] };
    expect((await server.send('POST', roles, { bearer, body: role })).status).toBe(403);
  });
});

describe('tokens', () => {
  test('nobody, a wrong secret, an unknown name and an expired one get nowhere', async () => {
    const expired = await server.token('old', ['system:masters'], '2020-01-01T00:00:00Z');
    const good = await server.token('new', ['system:masters']);
    expect((await server.send('GET', devices, { bearer: good })).status).toBe(200);
    expect((await server.send('GET', devices, { bearer: undefined })).status).toBe(403);
    for (const bearer of [expired, `${good.slice(0, -1)}b`, good.replace('tla.', 'tla.x'), 'x']) {
      const answer = await server.send('GET', devices, { bearer });
      expect(answer).toMatchObject({ status: 401, body: { reason: 'Unauthorized' } });
    }
  });

  test('a token that is deleted is worth nothing', async () => {
    const bearer = await server.token('new', ['system:masters']);
    const [, name] = bearer.split('.');
    await server.send('DELETE', `/apis/tapline.dev/v1alpha1/tokens/${name}`);
    expect((await server.send('GET', devices, { bearer })).status).toBe(401);
  });
});

test('kubectl auth can-i and whoami are answered', async () => {
  const bearer = await server.token('vic', ['tapline:viewer']);
  const ask = async (verb: string): Promise<unknown> => {
    const resourceAttributes = { verb, group: 'tapline.dev', resource: 'devices' };
    const { body } = await server.send(
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      { bearer, body: { spec: { resourceAttributes } } },
    );
    return (body['status'] as { allowed: boolean }).allowed;
  };
  expect(await ask('list')).toBe(true);
  expect(await ask('delete')).toBe(false);
  const who = await server.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    bearer,
    body: {},
  });
  expect(who.body['status']).toMatchObject({ userInfo: { username: 'vic' } });
});

test('the audit log has writes, refusals and their reasons, and no secret', async () => {
  const bearer = await server.token('vic', ['tapline:viewer']);
  const body = { metadata: { name: 'd' }, spec: { platform: 'linux/arm64' } };
  await server.send('POST', devices, { body, headers: { 'x-tapline-reason': 'new hardware' } });
  await server.send('PATCH', `${devices}/d`, {
    body: { spec: { owner: 'me' }, metadata: { annotations: { 'tapline.dev/reason': 'TAP-1' } } },
    type: 'application/merge-patch+json',
  });
  await server.send('DELETE', `${devices}/d`, { bearer });
  await server.send('POST', devices, { body });
  const entries = server.audit.filter(({ resource }) => resource === 'devices');
  expect(entries).toMatchObject([
    {
      user: 'root',
      verb: 'create',
      name: 'd',
      decision: 'allow',
      code: 201,
      reason: 'new hardware',
    },
    {
      verb: 'patch',
      code: 200,
      reason: 'TAP-1',
      changed: ['metadata.annotations.tapline.dev/reason', 'spec.owner'],
    },
    { user: 'vic', verb: 'delete', name: 'd', decision: 'deny', code: 403 },
    { verb: 'create', code: 409 },
  ]);
  expect(Number(entries[1]?.after)).toBeGreaterThan(Number(entries[1]?.before));
  expect(JSON.stringify(server.audit)).not.toContain('a'.repeat(43));
});
