import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { systemClock } from '@tapline/base';
import { loadKubeconfig } from '@tapline/client';
import {
  createCertificateAuthority,
  enrolDevice,
  newDeviceKey,
  streamProtocol,
} from '@tapline/gateway';
import { deviceResource, tokenResource } from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemUnavailable } from './support/requirements.ts';
import { runTapline, type CommandResult } from './support/run-tapline.ts';
import { startSystem, type System } from './support/start-system.ts';

const unavailable = await systemUnavailable();
const kinds = '/apis/tapline.dev/v1alpha1';

interface Caller {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

describe.skipIf(unavailable !== undefined)(`who may do what ${unavailable ?? ''}`, () => {
  let system: System;
  let ca: string;
  /** A device that has joined, whose key the test holds. */
  let spy: Caller;

  beforeAll(async () => {
    system = await startSystem({ devices: ['edge-1'] });
    ca = (await loadKubeconfig(system.controlPlane.kubeconfig)).ca ?? '';
    spy = await enrol('spy');
    const deployed = await system.tapline(['deploy', 'jq', '--to', 'team=design', '--wait']);
    if (deployed.code !== 0) throw new Error(deployed.err);
  }, 60_000);
  afterAll(() => system[Symbol.asyncDispose](), 60_000);

  async function token(...flags: readonly string[]): Promise<string> {
    return (await system.tapline(['token', 'create', ...flags])).out.trim();
  }

  async function enrol(name: string): Promise<Caller> {
    const identity = await enrolDevice({
      server: new URL(system.controlPlane.url),
      token: await token(),
      name,
      platform: 'linux/amd64',
      privateKeyPem: newDeviceKey(),
      clock: systemClock,
    });
    return { cert: identity.certificatePem, key: identity.privateKeyPem };
  }

  function join(joinToken: string, name: string): Promise<CommandResult> {
    const data = `${system.folder}/${name}-elsewhere`;
    const words = ['--token', joinToken, '--name', name, '--data', data, '--no-run'];
    return runTapline(['join', system.controlPlane.url, ...words]);
  }

  /** The status of a request; -1 where the server does not even speak to the caller. */
  function ask(
    { token: bearer, ...tls }: Caller,
    path: string,
    more: { readonly method?: string; readonly body?: unknown; readonly upgrade?: string } = {},
  ): Promise<number> {
    const { method = 'GET', body, upgrade } = more;
    const merge = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': merge }),
      ...(upgrade === undefined
        ? {}
        : {
            connection: 'Upgrade',
            upgrade: 'websocket',
            'sec-websocket-version': '13',
            'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
            'sec-websocket-protocol': upgrade,
          }),
    };
    return new Promise((resolve) => {
      const options = { ca, agent: false, method, headers, ...tls };
      const request = httpsRequest(`${system.controlPlane.url}${path}`, options, (response) => {
        response.resume();
        resolve(response.statusCode ?? -1);
        request.destroy();
      });
      request.on('upgrade', (_response, socket) => {
        socket.destroy();
        resolve(101);
      });
      request.on('error', () => resolve(-1));
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  const delivery = {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Delivery',
    metadata: { name: 'mine' },
    spec: { package: { formula: 'jq' }, selector: {}, rollout: 1 },
  };
  const exec = `${kinds}/installs/edge-1.jq/exec?command=jq&stdin=true`;

  test('nobody in particular reaches health, and nothing else', async () => {
    for (const path of ['/healthz', '/readyz', '/livez']) expect(await ask({}, path)).toBe(200);
    const refused = [
      ['/api'],
      ['/apis'],
      ['/openapi/v3'],
      ['/metrics'],
      ['/v2/'],
      ['/v2/jq/tags/list'],
      [`${kinds}/deliveries`],
      [`${kinds}/devices/edge-1`],
      [`${kinds}/tokens`],
      [`${kinds}/installs/edge-1.jq/log`],
      [`${kinds}/deliveries`, { method: 'POST', body: delivery }],
      [`${kinds}/deliveries/jq`, { method: 'DELETE' }],
      ['/v2/jq/blobs/uploads/', { method: 'POST' }],
      [exec, { upgrade: streamProtocol }],
      ['/gateway/v1/tunnel', { upgrade: 'v1.tunnel.tapline.dev' }],
      ['/gateway/v1/renew', { method: 'POST', body: {} }],
    ] as const;
    for (const [path, more] of refused) {
      expect([401, 403], path).toContain(await ask({}, path, more));
    }
  });

  test('a device reaches its own Device and Installs, and nothing else', async () => {
    expect(await ask(spy, `${kinds}/devices/spy`)).toBe(200);
    expect(await ask(spy, `${kinds}/installs?fieldSelector=spec.device%3Dspy`)).toBe(200);
    const status = { status: { state: 'Failed' } };
    const refused = [
      [`${kinds}/devices`],
      [`${kinds}/devices/edge-1`],
      [`${kinds}/devices/spy`, { method: 'PATCH', body: { spec: { owner: 'spy' } } }],
      [`${kinds}/devices/spy`, { method: 'DELETE' }],
      [`${kinds}/devices/edge-1/status`, { method: 'PATCH', body: { status: {} } }],
      [`${kinds}/installs`],
      [`${kinds}/installs?fieldSelector=spec.device%3Dedge-1`],
      [`${kinds}/installs?fieldSelector=spec.device%3Dedge-1&watch=true`],
      [`${kinds}/installs?fieldSelector=spec.delivery%3Djq`],
      [`${kinds}/installs/edge-1.jq`],
      [`${kinds}/installs/edge-1.jq/status`, { method: 'PATCH', body: status }],
      [`${kinds}/installs/edge-1.jq`, { method: 'DELETE' }],
      [`${kinds}/installs/edge-1.jq/log`],
      [exec, { upgrade: streamProtocol }],
      [`${kinds}/deliveries`],
      [`${kinds}/deliveries`, { method: 'POST', body: delivery }],
      [`${kinds}/packages`],
      [`${kinds}/tokens`],
      ['/apis/rbac.authorization.k8s.io/v1/clusterroles'],
      ['/metrics'],
      ['/v2/jq/tags/list'],
      ['/v2/jq/blobs/uploads/', { method: 'POST' }],
    ] as const;
    const answers = await Promise.all(
      refused.map(async ([path, more]) => `${path} ${await ask(spy, path, more)}`),
    );
    expect(answers).toEqual(refused.map(([path]) => `${path} 403`));
    // Nothing of it came to pass.
    const { out } = await system.tapline(['get', 'installs', '-o', 'json']);
    expect(out).toContain('"Ready"');
    expect(out).not.toContain('"Failed"');
  });

  test('a device that was deleted is nobody', async () => {
    const gone = await enrol('gone');
    expect(await ask(gone, `${kinds}/devices/gone`)).toBe(200);
    expect(await system.tapline(['delete', 'device', 'gone'])).toMatchObject({ code: 0 });
    expect(await ask(gone, `${kinds}/devices/gone`)).toBe(403);
    expect(await ask(gone, `${kinds}/installs?fieldSelector=spec.device%3Dgone`)).toBe(403);
    const tunnel = { upgrade: 'v1.tunnel.tapline.dev' };
    expect([401, 403]).toContain(await ask(gone, '/gateway/v1/tunnel', tunnel));
  });

  test('a certificate of another authority is worth nothing', async () => {
    const authority = await createCertificateAuthority({
      directory: `${system.folder}/other-ca`,
      clock: systemClock,
    });
    const key = newDeviceKey();
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
    const groups = ['system:masters'];
    const { certificatePem: cert } = authority.issueClient({ user: 'admin', groups, publicKey });
    expect([-1, 401, 403]).toContain(await ask({ cert, key }, `${kinds}/deliveries`));
  });

  test('tokens of users give what their groups may, until they end', async () => {
    const viewer = { token: await token('--user', 'dana', '--group', 'tapline:viewer') };
    expect(await ask(viewer, `${kinds}/deliveries`)).toBe(200);
    const create = { method: 'POST', body: delivery };
    expect(await ask(viewer, `${kinds}/deliveries`, create)).toBe(403);
    expect(await ask(viewer, `${kinds}/tokens`)).toBe(403);
    expect(await ask(viewer, exec, { upgrade: streamProtocol })).toBe(403);
    const nobody = { token: await token('--user', 'eve') };
    expect(await ask(nobody, `${kinds}/deliveries`)).toBe(403);
    expect(await ask({ token: `${viewer.token}x` }, `${kinds}/deliveries`)).toBe(401);
    const short = {
      token: await token('--user', 'dana', '--group', 'tapline:viewer', '--ttl', '2s'),
    };
    expect(await ask(short, `${kinds}/deliveries`)).toBe(200);
    await eventually(
      'it has expired',
      async () => (await ask(short, `${kinds}/deliveries`)) === 401,
    );
    const [, name = ''] = viewer.token.split('.');
    await system.controlPlane.client.delete(tokenResource, name);
    await eventually(
      'it is revoked',
      async () => (await ask(viewer, `${kinds}/deliveries`)) === 401,
      {
        withinMs: 2000,
      },
    );
  });

  test(
    'join tokens are refused that are used up, expired, unknown, mangled or of elsewhere',
    { timeout: 120_000 },
    async () => {
      const good = await token();
      const [kind, name = '', secret, fingerprint] = good.split('.');
      const devices = await system.controlPlane.client.list(deviceResource);
      const other = 'A'.repeat(43);
      const cases = [
        ['tlj.nonsense', 'd1', 2, 'token_malformed', 'a join token of 12 characters'],
        [`${kind}.${name}.${other}.${fingerprint}`, 'd1', 7, 'token_unknown', 'no such join token'],
        [`${kind}.nosuch.${secret}.${fingerprint}`, 'd1', 7, 'token_unknown', 'no such join token'],
        [`${kind}.${name}.${secret}.${other}`, 'd1', 7, 'ca_mismatch', 'is not certified by'],
        [good, 'D_9', 2, 'device_name_invalid', '"D_9" is not 1 to 63'],
        [good, 'edge-1', 7, 'device_name_taken', 'edge-1'],
      ] as const;
      for (const [text, device, code, errorCode, says] of cases) {
        const refused = await join(text, device);
        expect(refused).toMatchObject({ code, out: '', err: expect.stringContaining(says) });
        expect(refused.err).toContain(`[${errorCode}]`);
        expect(refused.err).not.toContain(secret);
      }
      expect(await join(good, 'd2')).toMatchObject({ code: 0 });
      const reused = await join(good, 'd3');
      expect(reused).toMatchObject({
        code: 7,
        err: expect.stringContaining('used 1 of 1 times [token_used]'),
      });
      const short = await token('--ttl', '1ms');
      const late = await join(short, 'd4');
      expect(late).toMatchObject({
        code: 7,
        err: expect.stringMatching(/expired at 20\S+Z \[token_expired\]/),
      });
      const after = await system.controlPlane.client.list(deviceResource);
      const names = (items: typeof devices.items): string[] =>
        items.map(({ metadata }) => metadata.name);
      expect(names(after.items).toSorted()).toEqual([...names(devices.items), 'd2'].toSorted());
      // The one whose name was asked for is still the one that has it.
      const edge = await system.tapline(['exec', 'edge-1.jq', '--', 'jq', '--version']);
      expect(edge).toMatchObject({ code: 0, out: 'jq-1.6\n' });
    },
  );

  test('no secret is in the audit log, the store or what the processes print', async () => {
    const secret = (await token()).split('.')[2] ?? 'no token';

    const found = spawnSync('grep', [
      '--recursive',
      '--files-with-matches',
      '--text',
      secret,
      system.controlPlane.data,
    ]);
    expect(found.stdout.toString()).toBe('');
    expect(system.controlPlane.output()).not.toContain(secret);
  });
});
