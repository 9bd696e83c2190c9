import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ApiServer, createApiServer, internalIdentity } from '@tapline/apiserver';
import { silentLog, systemClock } from '@tapline/base';
import { createCertificateAuthority } from '@tapline/gateway';
import { deliveryResource, eventResource, taplineResources } from '@tapline/resources';
import { openMemoryStore } from '@tapline/store';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { findKubectl } from './kubectl-binary.ts';

const kubectl = await findKubectl();
const about = kubectl.kind === 'found' ? kubectl.version : `skipped: ${kubectl.reason}`;

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(kubectl.kind === 'missing')(`kubectl ${about}`, () => {
  const program = kubectl.kind === 'found' ? kubectl.path : '';
  const root = { identity: internalIdentity('test') };
  let folder: TemporaryFolder;
  let api: ApiServer;
  let server: Server;
  let args: readonly string[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    const authority = await createCertificateAuthority({
      directory: folder.path,
      clock: systemClock,
    });
    api = await createApiServer({
      store: openMemoryStore(),
      definitions: taplineResources,
      clock: systemClock,
      log: silentLog,
      audit: { record: () => undefined, written: () => Promise.resolve() },
      version: '0',
    });
    const own = authority.issueServer({ hosts: [] });
    server = createServer(
      {
        cert: own.certificatePem,
        key: own.privateKeyPem,
        ca: authority.certificatePem,
        requestCert: true,
        rejectUnauthorized: false,
      },
      (request, response) => api.handle(request, response),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const admin = authority.issueIdentity({ user: 'admin', groups: ['system:masters'] });
    const viewer = authority.issueIdentity({ user: 'vic', groups: ['tapline:viewer'] });
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const user = (name: string, identity: typeof admin): object => ({
      name,
      user: {
        'client-certificate-data': base64(identity.certificatePem),
        'client-key-data': base64(identity.privateKeyPem),
      },
    });
    const path = join(folder.path, 'kubeconfig');
    const { port } = server.address() as AddressInfo;
    await writeFile(
      path,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [
          {
            name: 'tapline',
            cluster: {
              server: `https://127.0.0.1:${port}`,
              'certificate-authority-data': base64(authority.certificatePem),
            },
          },
        ],
        users: [user('admin', admin), user('viewer', viewer)],
        contexts: [
          { name: 'admin', context: { cluster: 'tapline', user: 'admin' } },
          { name: 'viewer', context: { cluster: 'tapline', user: 'viewer' } },
        ],
        'current-context': 'admin',
      }),
    );
    args = ['--kubeconfig', path, '--cache-dir', join(folder.path, 'cache')];
  });

  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    server.closeAllConnections();
    server.close();
    await folder[Symbol.asyncDispose]();
  });

  function run(...command: string[]): Promise<Output> {
    return new Promise((resolve) => {
      const env = { ...process.env, HOME: folder.path };
      execFile(
        program,
        [...args, ...command],
        { env, timeout: 25_000 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, stdout, stderr });
        },
      );
    });
  }

  async function ok(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(...command);
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: expect.any(String) });
    return stdout;
  }

  async function manifest(name: string, text: string): Promise<string> {
    const path = join(folder.path, `${name}.yaml`);
    await writeFile(path, text);
    return path;
  }

  function delivery(name: string, spec = ''): Promise<string> {
    return manifest(
      name,
      `apiVersion: tapline.dev/v1alpha1
kind: Delivery
metadata:
  name: ${name}
spec:
  package: {formula: jq}
  selector: {matchLabels: {team: design}}
${spec}`,
    );
  }

  beforeEach(async () => {
    await run('delete', 'deliveries', '--all');
  });

  test('api-resources, api-versions, version and explain', async () => {
    const resources = await ok('api-resources');
    expect(resources).toMatch(/deliveries +dl +tapline\.dev\/v1alpha1 +false +Delivery/);
    expect(resources).toMatch(/leases +coordination\.k8s\.io\/v1 +true +Lease/);
    expect(await ok('api-versions')).toContain('tapline.dev/v1alpha1');
    expect(await ok('version')).toContain('Server Version: v1.32');
    expect(await ok('explain', 'delivery.spec.strategy.progressDeadlineSeconds')).toContain(
      'A reachable device that is not ready after this counts as failed.',
    );
    expect(await ok('explain', 'ns')).toContain('A scope for names.');
    expect(await ok('explain', 'segments.spec.ports.type')).toContain('Promiscuous reaches all');
    for (const kind of ['segments', 'nodes', 'attachments', 'allocations']) {
      expect((await run('get', `${kind}.tapline.dev`)).code).toBe(0);
      expect(await ok('explain', `${kind}.tapline.dev`)).toContain('tapline.dev');
    }
  });

  test('apply, get in every form, diff, label, annotate and delete', async () => {
    const file = await delivery('jq');
    expect(await ok('apply', '-f', file)).toBe('delivery.tapline.dev/jq created\n');
    expect(await ok('apply', '-f', file)).toBe('delivery.tapline.dev/jq unchanged\n');
    expect(await ok('diff', '-f', file)).toBe('');
    await delivery('jq', '  rollout: 2\n');
    expect((await run('diff', '-f', file)).code).toBe(1);
    expect(await ok('apply', '-f', file)).toBe('delivery.tapline.dev/jq configured\n');
    expect(await ok('get', 'dl')).toMatch(/^NAME +FORMULA +VERSION .*\njq +jq /);
    expect(await ok('get', 'dl', '-o', 'wide')).toContain('REVISION');
    expect(await ok('get', 'dl', '-o', 'name')).toBe('delivery.tapline.dev/jq\n');
    expect(await ok('get', 'dl/jq', '-o', 'yaml')).toContain('  rollout: 2\n');
    expect(await ok('get', 'dl/jq', '-o', 'jsonpath={.spec.package.formula}')).toBe('jq');
    await ok('label', 'dl', 'jq', 'tier=gold');
    await ok('annotate', 'dl', 'jq', 'note=hello');
    expect(await ok('get', 'dl', '-l', 'tier=gold', '-o', 'name')).toContain('jq');
    expect(await ok('get', 'all')).toContain('delivery.tapline.dev/jq');
    const selector = '--field-selector=spec.package.formula=wget';
    expect((await run('get', 'dl', selector)).stderr).toContain('No resources found');
    expect(await ok('delete', 'dl', 'jq', '--dry-run=server')).toContain('server dry run');
    expect(await ok('delete', 'dl', 'jq', '--wait')).toContain('deleted');
    const gone = await run('get', 'dl', 'jq');
    expect(gone.stderr).toContain('(NotFound): deliveries.tapline.dev "jq" not found');
  });

  test('patches of each type; strategic is refused as for any custom resource', async () => {
    await ok('apply', '-f', await delivery('jq'));
    await ok('patch', 'dl', 'jq', '--type=merge', '-p', '{"spec":{"rollout":5}}');
    const replace = '[{"op":"replace","path":"/spec/rollout","value":6}]';
    await ok('patch', 'dl', 'jq', '--type=json', '-p', replace);
    expect(await ok('get', 'dl', 'jq', '-o', 'jsonpath={.spec.rollout}')).toBe('6');
    const strategic = await run('patch', 'dl', 'jq', '-p', '{"spec":{"rollout":7}}');
    expect(strategic.stderr).toContain('application/strategic-merge-patch+json is not supported');
    await ok('patch', 'ns', 'default', '-p', '{"metadata":{"labels":{"a":"b"}}}');
    const status = '{"status":{"version":"1.7"}}';
    await ok('patch', 'dl', 'jq', '--subresource=status', '--type=merge', '-p', status);
    expect(await ok('get', 'dl', 'jq', '-o', 'jsonpath={.status.version}')).toBe('1.7');
  });

  test('edit writes what the editor leaves', async () => {
    await ok('apply', '-f', await delivery('jq', '  rollout: 1\n'));
    const env = {
      ...process.env,
      HOME: folder.path,
      KUBE_EDITOR: "sed -i 's/rollout: 1/rollout: 9/'",
    };
    const code = await new Promise((resolve) => {
      spawn(program, [...args, 'edit', 'dl', 'jq'], { env, stdio: 'ignore' }).on('exit', resolve);
    });
    expect(code).toBe(0);
    expect(await ok('get', 'dl', 'jq', '-o', 'jsonpath={.spec.rollout}')).toBe('9');
  });

  test('server-side apply: ownership, conflicts, force', async () => {
    const file = await delivery('jq', '  rollout: 2\n');
    await ok('apply', '--server-side', '-f', file);
    await delivery('jq', '  rollout: 3\n');
    const conflict = await run('apply', '--server-side', '--field-manager=other', '-f', file);
    expect(conflict.code).toBe(1);
    expect(conflict.stderr).toContain('conflict with "kubectl"');
    expect(conflict.stderr).toContain('.spec.rollout');
    const force = ['--server-side', '--field-manager=other', '--force-conflicts'];
    await ok('apply', ...force, '-f', file);
    const managed = await ok('get', 'dl', 'jq', '-o', 'yaml', '--show-managed-fields');
    expect(managed).toContain('manager: other');
    // From client-side to server-side apply, with its ownership.
    await ok('delete', '-f', file);
    await ok('apply', '-f', file);
    await ok('apply', '--server-side', '-f', file);
  });

  test('strict validation is on by default and names each field', async () => {
    const file = await delivery('bad', '  strategy: {waves: ["50%"], wave: 1}\n  nope: 1\n');
    const strict = await run('apply', '-f', file);
    expect(strict.stderr).toContain(
      'strict decoding error: unknown field "spec.strategy.wave", unknown field "spec.nope"',
    );
    const warned = await run('apply', '--validate=warn', '-f', file);
    expect(warned.stderr).toContain('Warning: unknown field "spec.nope"');
    expect(warned.code).toBe(0);
    const typed = await run('apply', '-f', await delivery('bad2', '  rollout: no\n'));
    expect(typed.stderr).toContain('spec.rollout: Invalid value: false: must be of type');
  });

  test('get -w prints what happens as it happens', async () => {
    const watching = spawn(program, [...args, 'get', 'dl', '-w', '--output-watch-events'], {
      env: { ...process.env, HOME: folder.path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    watching.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    try {
      await ok('apply', '-f', await delivery('jq'));
      await vi.waitFor(() => expect(text).toMatch(/EVENT +NAME +FORMULA[^]*ADDED +jq +jq/), 10_000);
      await ok('delete', 'dl', 'jq');
      await vi.waitFor(() => expect(text).toMatch(/DELETED +jq/), 10_000);
    } finally {
      watching.kill('SIGKILL');
    }
  });

  test('wait ends when the condition holds', async () => {
    await ok('apply', '-f', await delivery('jq'));
    const waiting = run('wait', '--for=condition=Ready', 'dl/jq', '--timeout=20s');
    const condition = {
      type: 'Ready',
      status: 'True' as const,
      reason: 'Test',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const body = { status: { conditions: [condition] } };
    const target = { name: 'jq' };
    const patch = { kind: 'merge', body } as const;
    await api.operations.patch(root, deliveryResource, target, patch, { subresource: 'status' });
    expect((await waiting).stdout).toContain('condition met');
    const late = await run('wait', '--for=condition=Other', 'dl/jq', '--timeout=1s');
    expect(late.stderr).toContain('timed out');
  });

  test('describe shows the events of the object', async () => {
    await ok('apply', '-f', await delivery('jq'));
    const { metadata } = await api.operations.get(root, deliveryResource, { name: 'jq' });
    await api.operations.create(root, eventResource, {
      metadata: { generateName: 'jq.', namespace: 'default' },
      involvedObject: {
        apiVersion: 'tapline.dev/v1alpha1',
        kind: 'Delivery',
        name: 'jq',
        uid: metadata.uid,
      },
      reason: 'WaveStarted',
      message: 'wave 1 of 2',
      type: 'Normal',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'tapline' },
    });
    const text = await ok('describe', 'dl', 'jq');
    expect(text).toMatch(/Normal +WaveStarted .* tapline +wave 1 of 2/);
    expect(await ok('get', 'events')).toContain('WaveStarted');
  });

  test('deletion with finalizers and cascades', async () => {
    await ok('apply', '-f', await delivery('jq'));
    await ok('patch', 'dl', 'jq', '--type=merge', '-p', '{"metadata":{"finalizers":["a/b"]}}');
    await ok('delete', 'dl', 'jq', '--wait=false');
    expect(await ok('get', 'dl', 'jq', '-o', 'yaml')).toContain('deletionTimestamp');
    await ok('patch', 'dl', 'jq', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
    expect((await run('get', 'dl', 'jq')).code).toBe(1);
    await ok('apply', '-f', await delivery('jq'));
    await ok('delete', 'dl', 'jq', '--cascade=orphan', '--wait=false');
    const finalizers = ['get', 'dl', 'jq', '-o', 'jsonpath={.metadata.finalizers}'];
    expect(await ok(...finalizers)).toBe('["orphan"]');
    await ok(
      'patch',
      'dl',
      'jq',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/metadata/finalizers"}]',
    );
  });

  test('auth and roles: can-i, whoami, create of roles, refusals', async () => {
    expect(await ok('auth', 'can-i', 'create', 'deliveries.tapline.dev')).toContain('yes');
    expect(await ok('auth', 'whoami')).toContain('admin');
    const viewer = ['--context', 'viewer'];
    expect((await run(...viewer, 'auth', 'can-i', 'delete', 'dl')).stdout).toContain('no');
    expect(await ok(...viewer, 'auth', 'can-i', '--list')).toContain('deliveries.tapline.dev');
    expect(await ok(...viewer, 'get', 'dev')).toBe('');
    const refused = await run(...viewer, 'apply', '-f', await delivery('jq'));
    expect(refused.stderr).toContain('User "vic" cannot create resource "deliveries"');
    await ok('create', 'clusterrole', 'dl-admin', '--verb=*', '--resource=deliveries.tapline.dev');
    await ok('create', 'clusterrolebinding', 'vic', '--clusterrole=dl-admin', '--user=vic');
    await ok(...viewer, 'apply', '-f', await delivery('jq'));
    await ok('delete', 'clusterrolebinding', 'vic');
  });

  test('namespaces and what is in them', async () => {
    await ok('create', 'namespace', 'lab');
    const lease = await manifest(
      'lease',
      `apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: l, namespace: lab}
spec: {holderIdentity: me, leaseDurationSeconds: 15}
`,
    );
    await ok('apply', '-f', lease);
    await ok('apply', '-f', lease);
    expect(await ok('get', 'leases', '-A')).toMatch(/lab +l +me/);
    await ok('delete', '-f', lease);
    await ok('delete', 'namespace', 'lab');
  });
});
