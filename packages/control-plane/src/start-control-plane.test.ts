import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import {
  createHttpClient,
  type HttpClient,
  loadKubeconfig,
  type NewObjectOf,
} from '@tapline/client';
import {
  connectSession,
  enrolDevice,
  formatJoinToken,
  hashSecret,
  newDeviceKey,
} from '@tapline/gateway';
import {
  deliveryResource,
  deviceResource,
  findCondition,
  installResource,
  tokenResource,
} from '@tapline/resources';
import { parseDigest } from '@tapline/oci';
import { createRegistryClient } from '@tapline/registry';
import { eventually } from '@tapline/testing';
import { parseControlPlaneConfiguration } from './configuration.ts';
import { type ControlPlane, startControlPlane } from './start-control-plane.ts';

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

describe('startControlPlane', () => {
  let directory: string;
  let plane: ControlPlane;
  let admin: HttpClient;
  let adminTls: { readonly cert: string; readonly key: string };

  function start(): Promise<ControlPlane> {
    return startControlPlane({
      configuration: parseControlPlaneConfiguration({
        TAPLINE_DATA_DIRECTORY: directory,
        TAPLINE_PORT: '0',
        // Nothing listens there: what asks Homebrew is told at once that it is unreachable.
        HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
        HOMEBREW_BOTTLE_DOMAIN: 'http://127.0.0.1:9',
      }),
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
    });
  }

  async function open(): Promise<void> {
    plane = await start();
    await plane.ready;
    const context = await loadKubeconfig(plane.adminKubeconfigPath);
    admin = createHttpClient({ ...context, userAgent: 'test', clock: systemClock });
    if (context.credentials.kind !== 'certificate') throw new Error('no certificate');
    adminTls = { cert: context.credentials.certificate, key: context.credentials.key };
  }

  async function close(): Promise<void> {
    await admin[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tapline-control-plane-'));
    await open();
  });

  afterEach(async () => {
    await close();
    await rm(directory, { recursive: true });
  });

  function ask(
    path: string,
    tls: { readonly cert?: string; readonly key?: string; readonly method?: string } = {},
    credential?: string,
    scheme = 'Bearer',
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = credential === undefined ? {} : { authorization: `${scheme} ${credential}` };
      const options = { ca: plane.caCertificatePem, agent: false, headers, ...tls };
      httpsRequest(`${plane.url}${path}`, options, (response) => {
        response.toArray().then((chunks) => {
          resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() });
          return undefined;
        }, reject);
      })
        .on('error', reject)
        .end();
    });
  }

  /** A device that has joined, with its TLS identity. */
  async function joinDevice(name: string, token = `join-${name}`) {
    const secret = Buffer.alloc(32, name).toString('base64url');
    await admin.create(tokenResource, {
      metadata: { name: token },
      spec: {
        purpose: 'Join',
        hash: hashSecret(secret),
        expiresAt: new Date(systemClock.now() + 60_000).toISOString(),
        uses: 1,
        role: 'device',
      },
    });
    const identity = await enrolDevice({
      server: new URL(plane.url),
      token: formatJoinToken({ name: token, secret, caFingerprint: plane.caFingerprint }),
      name,
      platform: 'linux/amd64',
      labels: {},
      privateKeyPem: newDeviceKey(),
      clock: systemClock,
    });
    return { ca: identity.caPem, cert: identity.certificatePem, key: identity.privateKeyPem };
  }

  it('serves health to anybody and the rest to those it knows', async () => {
    expect(await ask('/readyz')).toEqual({ status: 200, text: 'ok' });
    expect((await ask('/healthz')).status).toBe(200);
    for (const path of ['/metrics', '/apis/tapline.dev/v1alpha1/devices']) {
      expect((await ask(path)).status).toBe(403);
    }
    expect((await ask('/v2/')).status).toBe(401);
    expect((await ask('/v2/', adminTls)).status).toBe(200);
    expect((await ask('/gateway/v1/nothing')).status).toBe(404);
  });

  it('counts in the names that dashboards know', async () => {
    const { text } = await ask('/metrics', adminTls);
    for (const name of [
      'tapline_build_info{version="',
      'tapline_stage_duration_seconds',
      'tapline_reconcile_total',
      'tapline_store_revision',
      'tapline_connected_devices 0',
      'process_resident_memory_bytes',
    ]) {
      expect(text).toContain(name);
    }
  });

  it('makes its authority and administrator once, and keeps what it was told', async () => {
    const { caFingerprint } = plane;
    await admin.create(deviceResource, {
      metadata: { name: 'd1' },
      spec: { platform: 'linux/amd64', role: 'device' },
    });
    const before = await readFile(plane.adminKubeconfigPath, 'utf8');
    const key = /client-key-data: .*/;
    expect((await stat(plane.adminKubeconfigPath)).mode & 0o777).toBe(0o600);
    await close();
    await open();
    expect(plane.caFingerprint).toBe(caFingerprint);
    const after = await readFile(plane.adminKubeconfigPath, 'utf8');
    expect(key.exec(after)?.[0]).toBe(key.exec(before)?.[0]);
    expect((await admin.get(deviceResource, 'd1')).spec.platform).toBe('linux/amd64');
  });

  it('refuses a second process on its data', async () => {
    await expect(start()).rejects.toMatchObject({ code: 'store_locked' });
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('lets a device join, shows its presence, and gives it nothing but its own', async () => {
    const tls = await joinDevice('d1');
    const session = connectSession({
      server: new URL(plane.url),
      tls: () => tls,
      report: () => ({
        agentVersion: '0.0.0',
        platform: 'linux/amd64',
        bootId: 'boot',
        runtimes: [],
        storage: { freeBytes: 1, reservedBytes: 0, usedBytes: 0 },
        certificateNotAfter: new Date(systemClock.now() + 60_000).toISOString(),
      }),
      service: {},
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
    });
    const ready = await eventually('the device is ready', async () => {
      const device = await admin.get(deviceResource, 'd1');
      return findCondition(device.status?.conditions, 'Ready');
    });
    expect(ready).toMatchObject({ status: 'True', reason: 'Connected' });
    expect((await ask('/metrics', adminTls)).text).toContain('tapline_connected_devices 1');
    expect((await ask('/apis/tapline.dev/v1alpha1/deliveries', tls)).status).toBe(403);
    expect((await ask('/v2/jq/tags/list', tls)).status).toBe(403);
    await admin.create(installResource, installOf('d1'));
    // The registry knows the repository's reader now, though not yet the repository.
    const allowed = await eventually('the registry knows the reader', async () => {
      const answer = await ask('/v2/jq/tags/list', tls);
      return answer.status === 403 ? undefined : answer;
    });
    expect(allowed.status).toBe(404);
    expect((await ask('/v2/bash/tags/list', tls)).status).toBe(403);
    await session[Symbol.asyncDispose]();
  });

  it('gives the old key of a device that enrolled again nothing, and ends what it had open', async () => {
    const old = await joinDevice('d1');
    const own = '/apis/tapline.dev/v1alpha1/installs?fieldSelector=spec.device%3Dd1';
    expect((await ask(own, old)).status).toBe(200);
    const watching = ask(`${own}&watch=true`, old).catch((error: unknown) => error);
    await admin.create(installResource, installOf('d1'));
    await admin.delete(deviceResource, 'd1');
    expect(await watching).toMatchObject({ code: 'ECONNRESET' });
    const current = await joinDevice('d1', 'again');
    for (const path of [own, '/apis/tapline.dev/v1alpha1/devices/d1', '/v2/jq/tags/list']) {
      expect({ path, status: (await ask(path, old)).status }).toEqual({ path, status: 403 });
    }
    expect((await ask(own, current)).status).toBe(200);
    const pulled = await eventually('the registry knows the new identity', async () => {
      const { status } = await ask('/v2/jq/tags/list', current);
      return status === 403 ? undefined : status;
    });
    expect(pulled).toBe(404);
  });

  it('lets users pull who may read packages, and nobody else', async () => {
    const tokenOf = async (user: string, groups: string[]): Promise<string> => {
      const secret = Buffer.alloc(32, user).toString('base64url');
      const expiresAt = new Date(systemClock.now() + 60_000).toISOString();
      await admin.create(tokenResource, {
        metadata: { name: user },
        spec: {
          purpose: 'Access',
          hash: hashSecret(secret),
          expiresAt,
          uses: 1,
          role: 'device',
          user,
          groups,
        },
      });
      return `tla.${user}.${secret}`;
    };
    const viewer = await tokenOf('vic', ['tapline:viewer']);
    const nobody = await tokenOf('nobody', []);
    expect((await ask('/v2/', {}, viewer)).status).toBe(200);
    expect((await ask('/v2/', {}, nobody)).status).toBe(403);
    const basic = (password: string): string => Buffer.from(`any:${password}`).toString('base64');
    expect((await ask('/v2/', {}, basic(viewer), 'Basic')).status).toBe(200);
    expect((await ask('/v2/', {}, basic(`${viewer}x`), 'Basic')).status).toBe(401);
  });

  it('gives a device registry tokens for its own images, which end with its rights', async () => {
    const tls = await joinDevice('d1');
    await admin.create(installResource, installOf('d1'));
    const scopes = 'scope=repository:jq:pull,push&scope=repository:bash:pull';
    const path = `/registry/v1/token?service=tapline-registry&${scopes}`;
    expect((await ask(path)).status).toBe(401);
    const token = await eventually('a token for jq', async () => {
      const { text } = await ask(path, tls);
      const answer = JSON.parse(text) as { token: string; scope: string };
      expect(['', 'repository:jq:pull']).toContain(answer.scope);
      return answer.scope === '' ? undefined : answer.token;
    });
    expect((await ask('/v2/jq/tags/list', {}, token)).status).toBe(404);
    // Not in the token, and not to be had either.
    expect((await ask('/v2/bash/tags/list', {}, token)).status).toBe(403);
    expect((await ask('/v2/jq/tags/list', {}, `${token.slice(0, -8)}AAAAAAAA`)).status).toBe(401);
    // The catalog has a scope of its own, and shows what its bearer may pull.
    for (const repository of ['bash', 'jq']) {
      const upload = { ...adminTls, method: 'POST' };
      const bytes = createHash('sha256').update('').digest('hex');
      const at = `/v2/${repository}/blobs/uploads/?digest=sha256:${bytes}`;
      expect((await ask(at, upload)).status).toBe(201);
    }
    const catalog = async (...as: readonly [object?, string?]): Promise<Answer> =>
      await ask('/v2/_catalog', as[0], as[1]);
    expect((await catalog({}, token)).status).toBe(401);
    const scope = 'service=tapline-registry&scope=registry:catalog:*';
    const { text: issued } = await ask(`/registry/v1/token?${scope}`, tls);
    const { token: forCatalog } = JSON.parse(issued) as { token: string };
    expect(JSON.parse((await catalog({}, forCatalog)).text)).toEqual({ repositories: ['jq'] });
    expect((await ask('/v2/jq/tags/list', {}, forCatalog)).status).toBe(401);
    expect(JSON.parse((await catalog(tls)).text)).toEqual({ repositories: ['jq'] });
    expect(JSON.parse((await catalog(adminTls)).text)).toEqual({ repositories: ['bash', 'jq'] });
    await admin.delete(installResource, 'd1.jq');
    await eventually('the token is worth nothing', async () => {
      return (await ask('/v2/jq/tags/list', {}, token)).status === 403;
    });
    await admin.delete(deviceResource, 'd1');
    await eventually('the device is nobody', async () => {
      return (await ask('/v2/', {}, token)).status === 403;
    });
    const audit = await readFile(join(directory, 'audit', 'audit.jsonl'), 'utf8');
    const lines = audit.split('\n').filter((line) => line.includes('registry.tapline.dev'));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ user: 'system:device:d1', name: 'repository:jq:pull', code: 200 }),
    );
    expect(lines[0]).toContain('"decision":"deny"');
    expect(audit).not.toContain(token.slice(-40));
    const { text } = await ask('/metrics', adminTls);
    expect(text).toMatch(/tapline_registry_tokens_total\{outcome="issued"\} [1-9]/);
  });

  it('makes an address wait after ten failed logins at the token server', async () => {
    const path = '/registry/v1/token?service=tapline-registry';
    const wrong = Buffer.from('dana:tla.wrong').toString('base64');
    const tls = await joinDevice('d1');
    for (let at = 0; at < 10; at += 1) {
      expect((await ask(path, {}, wrong, 'Basic')).status).toBe(401);
    }
    const limited = await ask(path, {}, wrong, 'Basic');
    expect(limited.status).toBe(429);
    expect(limited.text).toContain('TOOMANYREQUESTS');
    // Devices come with a certificate and do not wait for others.
    expect((await ask(path, tls)).status).toBe(200);
    const { text } = await ask('/metrics', adminTls);
    expect(text).toMatch(/tapline_registry_tokens_total\{outcome="limited"\} 1/);
    const audit = await readFile(join(directory, 'audit', 'audit.jsonl'), 'utf8');
    const refusals = audit.split('\n').filter((line) => line.includes('"code":401'));
    expect(refusals.filter((line) => line.includes('"resource":"tokens"'))).toHaveLength(10);
  });

  it('makes an address wait after ten failed logins at the registry, wherever they were', async () => {
    const wrong = Buffer.from('dana:tla.wrong').toString('base64');
    const login = async (path: string): Promise<number | undefined> =>
      (await ask(path, {}, wrong, 'Basic')).status;
    const places = ['/v2/', '/v2/jq/manifests/latest', '/registry/v1/usage'];
    const replication = '/registry/v1/replication';
    const token = '/registry/v1/token?service=tapline-registry';
    for (let at = 0; at < 9; at += 1) expect(await login(places[at % 3] ?? '')).toBe(401);
    expect(await login(replication)).toBe(401);
    for (const path of [...places, replication, token]) expect(await login(path)).toBe(429);
    // A token that has run out is no guess, and whoever shows a certificate does not wait.
    expect((await ask('/v2/', {}, 'eyJ.eyJ.AAAA')).status).toBe(401);
    expect((await ask('/v2/', adminTls)).status).toBe(200);
    const { text } = await ask('/metrics', adminTls);
    expect(text).toMatch(/tapline_registry_tokens_total\{outcome="limited"\} 5/);
  });

  it('has the registry administered by administrators, with every change in audit and metrics', async () => {
    const tls = await joinDevice('d1');
    expect((await ask('/registry/v1/usage')).status).toBe(401);
    expect((await ask('/registry/v1/usage', tls)).status).toBe(403);
    const { key, cert } = adminTls;
    await using client = createRegistryClient({
      baseUrl: plane.url,
      tls: { ca: plane.caCertificatePem, key, cert },
    });
    const bytes = Buffer.from('a blob that no manifest needs');
    const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    await client.pushBlob('team/tool', {
      digest,
      size: bytes.length,
      async *open() {
        yield await Promise.resolve(bytes);
      },
    });
    expect(JSON.parse((await ask('/registry/v1/usage', adminTls)).text)).toMatchObject({
      repositories: 1,
      blobs: 1,
      bytes: bytes.length,
    });
    const post = async (path: string): Promise<Answer> =>
      await ask(path, { ...adminTls, method: 'POST' });
    const held = JSON.parse((await post('/registry/v1/gc')).text) as unknown;
    expect(held).toMatchObject({ blobs: 0, held: [{ reason: 'recent', blobs: 1 }] });
    expect((await post('/registry/v1/gc?graceSeconds=no')).status).toBe(400);
    const gone = JSON.parse((await post('/registry/v1/gc?graceSeconds=0')).text) as unknown;
    expect(gone).toMatchObject({ links: 1, blobs: 1, bytes: bytes.length, digests: [digest] });
    const scrub = await post('/registry/v1/scrub');
    expect(scrub.text.trim().split('\n').at(-1)).toContain('"kind":"done"');
    const audit = await readFile(join(directory, 'audit', 'audit.jsonl'), 'utf8');
    const verbs = audit
      .split('\n')
      .filter((line) => line.includes('registry.tapline.dev'))
      .map((line) => (JSON.parse(line) as { verb: string }).verb);
    expect(verbs).toEqual(expect.arrayContaining(['push', 'collect']));
    const { text } = await ask('/metrics', adminTls);
    expect(text).toMatch(/tapline_registry_collected_total\{what="blobs"\} 1/);
    expect(text).toContain('route="upload",method="PUT",code="201"');
  });

  it('explains why a delivery has not converged', async () => {
    await joinDevice('d1');
    await admin.create(deliveryResource, {
      metadata: { name: 'jq' },
      spec: { package: { formula: 'jq' }, selector: {}, rollout: 1 },
    });
    const explanation = await eventually('an explanation of the delivery', async () => {
      const { status, text } = await ask(
        '/apis/tapline.dev/v1alpha1/deliveries/jq/explain',
        adminTls,
      );
      expect(status).toBe(200);
      return text.includes('127.0.0.1:9') ? (JSON.parse(text) as unknown) : undefined;
    });
    expect(explanation).toMatchObject({
      steps: [],
      waiting: [{ what: 'package jq' }, { what: 'device d1' }],
    });
    const path = '/apis/tapline.dev/v1alpha1/deliveries/none/explain';
    expect((await ask(path, adminTls)).status).toBe(404);
  });
});

function installOf(device: string): NewObjectOf<typeof installResource> {
  return {
    metadata: { name: `${device}.jq` },
    spec: {
      device,
      delivery: 'none',
      formula: 'jq',
      version: '1.7.1',
      revision: 1,
      image: {
        repository: 'jq',
        digest: `sha256:${'a'.repeat(64)}`,
        platform: 'linux/amd64',
        sizeBytes: 1,
        unpackedBytes: 1,
      },
    },
  };
}
