import { openMemoryStore } from '@tapline/store';
import { expect, test } from 'vitest';
import { serveForTest, type TestServer } from './testing/serve-for-test.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const wide = [{ verbs: ['*'], apiGroups: ['tapline.dev'], resources: ['*'] }];
const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';

async function rulesOf(server: TestServer, role: string): Promise<unknown> {
  return (await server.send('GET', `${rbac}/clusterroles/${role}`)).body['rules'];
}

test('a start gives built-in roles the rules of this version, and leaves alone what is not its own', async () => {
  await using store = openMemoryStore();
  let fresh: unknown;
  {
    await using before = await serveForTest({ store });
    fresh = await rulesOf(before, 'operator');
    // As an older version has left them, without the annotation of today.
    await before.send('PUT', `${rbac}/clusterroles/operator`, {
      body: { metadata: { name: 'operator', annotations: { team: 'tv' } }, rules: wide },
    });
    await before.send('PUT', `${rbac}/clusterroles/viewer`, {
      body: { metadata: { name: 'viewer', annotations: { [autoUpdate]: 'false' } }, rules: wide },
    });
    await before.send('POST', `${rbac}/clusterroles`, {
      body: { metadata: { name: 'mine' }, rules: wide },
    });
    await before.send('PATCH', `${rbac}/clusterrolebindings/operator`, {
      body: { subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'olga' }] },
      type: 'application/merge-patch+json',
    });
    expect(await rulesOf(before, 'operator')).toEqual(wide);
  }
  await using after = await serveForTest({ store });
  expect(await rulesOf(after, 'operator')).toEqual(fresh);
  const { body: operator } = await after.send('GET', `${rbac}/clusterroles/operator`);
  expect(operator['metadata']).toMatchObject({ annotations: { team: 'tv', [autoUpdate]: 'true' } });
  expect(await rulesOf(after, 'viewer')).toEqual(wide);
  expect(await rulesOf(after, 'mine')).toEqual(wide);
  const { body: binding } = await after.send('GET', `${rbac}/clusterrolebindings/operator`);
  expect(binding['subjects']).toEqual([expect.objectContaining({ name: 'olga' })]);

  const bearer = await after.token('olga', []);
  const devices = '/apis/tapline.dev/v1alpha1/devices';
  expect((await after.send('GET', devices, { bearer })).status).toBe(200);
});

test('a start that finds everything as it should be writes nothing', async () => {
  await using store = openMemoryStore();
  await serveForTest({ store }).then((server) => server[Symbol.asyncDispose]());
  await using again = await serveForTest({ store });
  expect(again.audit.filter(({ user }) => user === 'system:apiserver')).toEqual([]);
});
