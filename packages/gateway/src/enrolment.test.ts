import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ManualClock, silentLog, systemClock, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  deviceKeyAnnotation,
  deviceResource,
  tokenResource,
  type TokenSpec,
} from '@tapline/resources';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CertificateAuthority, createCertificateAuthority } from './certificate-authority.ts';
import { createDeviceChallenges } from './device-challenges.ts';
import { newDeviceKey } from './device-key.ts';
import { type DeviceIdentity, enrolDevice, renewIdentity } from './enrol-device.ts';
import { createEnrolmentHandler } from './enrolment-handler.ts';
import { createEnrolment } from './enrolment.ts';
import { hashSecret } from './hash-secret.ts';
import { formatJoinToken } from './join-token.ts';
import { startTestApi, type TestApi } from './testing/start-test-api.ts';

let folder: TemporaryFolder;
let authority: CertificateAuthority;
let objects: TestApi;
let client: ResourceClient;
let server: Server;
let url: URL;
const clock = new ManualClock(Date.now());

beforeEach(async () => {
  folder = await temporaryFolder();
  authority = await createCertificateAuthority({ directory: folder.path, clock: systemClock });
  objects = await startTestApi();
  ({ client } = objects);
  ({ server, url } = await serve(authority));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await objects[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function serve(
  own: CertificateAuthority,
  options: { readonly certificateLifetimeMs?: number } = {},
): Promise<{ server: Server; url: URL }> {
  const enrolment = createEnrolment({ authority: own, client, clock, log: silentLog, ...options });
  const challenges = createDeviceChallenges({ authority: own, clock });
  const handle = createEnrolmentHandler({
    enrolment,
    authority: own,
    challenges,
    clock,
    log: silentLog,
  });
  const { certificatePem: cert, privateKeyPem: key } = own.issueServer({ hosts: [] });
  const ca = own.certificatePem;
  const https = createServer(
    { cert, key, ca, requestCert: true, rejectUnauthorized: false },
    (request, response) => void handle(request, response),
  );
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  const { port } = https.address() as AddressInfo;
  return { server: https, url: new URL(`https://127.0.0.1:${port}`) };
}

let tokens = 0;
async function makeToken(spec: Partial<TokenSpec> = {}): Promise<string> {
  tokens += 1;
  const name = `t${tokens}`;
  const secret = randomBytes(32).toString('base64url');
  await client.create(tokenResource, {
    metadata: { name },
    spec: {
      purpose: 'Join',
      hash: hashSecret(secret),
      expiresAt: new Date(clock.now() + 60_000).toISOString(),
      uses: 1,
      role: 'device',
      ...spec,
    },
  });
  return formatJoinToken({ name, secret, caFingerprint: authority.fingerprint });
}

function join(
  token: string,
  more: {
    readonly name?: string;
    readonly key?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly server?: URL;
  } = {},
): Promise<DeviceIdentity> {
  return enrolDevice({
    server: more.server ?? url,
    token,
    name: more.name ?? 'pad-1',
    platform: 'linux/amd64',
    labels: more.labels ?? {},
    privateKeyPem: more.key ?? newDeviceKey(),
    clock,
  });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error instanceof TaplineError ? error.code : String(error);
  }
}

describe('a device', () => {
  test('gets a certificate for its own key, and the labels of the token', async () => {
    const token = await makeToken({ labels: { team: 'design' }, extraLabels: 'Allow' });
    const identity = await join(token, { labels: { site: 'b1' } });
    expect(identity.caPem).toBe(authority.certificatePem);
    const device = await client.get(deviceResource, 'pad-1');
    expect(device.metadata.labels).toEqual({ team: 'design', site: 'b1' });
    expect(device.metadata.annotations).toHaveProperty([deviceKeyAnnotation]);
    expect(await client.get(tokenResource, `t${tokens}`)).toMatchObject({
      status: { used: 1, devices: ['pad-1'] },
    });
  });

  test('that lost the answer gets it again with the same key, for one use', async () => {
    const token = await makeToken();
    const key = newDeviceKey();
    await join(token, { key });
    await join(token, { key });
    expect(await client.get(tokenResource, `t${tokens}`)).toMatchObject({ status: { used: 1 } });
  });

  test('renews with its certificate, even with one that has run out, and not once it was deleted', async () => {
    server.close();
    ({ server, url } = await serve(authority, { certificateLifetimeMs: 1000 }));
    const identity = await join(await makeToken());
    // The peer checks real time: certificates count seconds.
    await systemClock.sleep(2100);
    const renewed = await renewIdentity({ server: url, identity, clock });
    expect(renewed.certificatePem).not.toBe(identity.certificatePem);
    await client.delete(deviceResource, 'pad-1');
    expect(await codeOf(renewIdentity({ server: url, identity: renewed, clock }))).toBe(
      'device_unknown',
    );
  });

  test('of another authority is not renewed', async () => {
    await using other = await temporaryFolder();
    const forged = await createCertificateAuthority({ directory: other.path, clock: systemClock });
    const identity = await join(await makeToken());
    const { certificatePem, privateKeyPem } = forged.issueIdentity({
      user: 'system:device:pad-1',
      groups: ['system:devices'],
    });
    const impostor = { ...identity, certificatePem, privateKeyPem };
    expect(await codeOf(renewIdentity({ server: url, identity: impostor, clock }))).toBe(
      'unauthorized',
    );
  });
});

/**
 * Lets nobody on before `count` Devices are made, and writes to each, as the control plane's
 * reconcilers do as soon as it is there.
 */
function raceAtCreation(count: number): void {
  const all = Promise.withResolvers<undefined>();
  let made = 0;
  const create = client.create.bind(client);
  vi.spyOn(client, 'create').mockImplementation(async (definition, object) => {
    const created = await create(definition, object);
    if (definition.kind === 'Device') {
      const device = await client.get(deviceResource, created.metadata.name);
      await client.updateStatus(deviceResource, { ...device, status: { agentVersion: '1' } });
      made += 1;
      if (made === count) all.resolve(undefined);
      await all.promise;
    }
    return created;
  });
}

describe('refusals', () => {
  test('a token that was used up', async () => {
    const token = await makeToken();
    await join(token);
    expect(await codeOf(join(token, { name: 'pad-2' }))).toBe('token_used');
    expect(await codeOf(client.get(deviceResource, 'pad-2'))).toBe('not_found');
  });

  test('of ten devices that race for one use, nine; and none of them leaves a Device', async () => {
    const token = await makeToken();
    raceAtCreation(10);
    const names = Array.from({ length: 10 }, (_, index) => `racer-${index}`);
    const codes = await Promise.all(names.map((name) => codeOf(join(token, { name }))));
    expect(codes.filter((code) => code === 'none')).toHaveLength(1);
    expect(codes.filter((code) => code === 'token_used')).toHaveLength(9);
    expect((await client.list(deviceResource)).items).toHaveLength(1);
  });

  test('of ten keys that race for one name, nine', async () => {
    const token = await makeToken({ uses: 10 });
    const codes = await Promise.all(Array.from({ length: 10 }, () => codeOf(join(token))));
    expect(codes.filter((code) => code === 'none')).toHaveLength(1);
    expect(codes.filter((code) => code === 'device_name_taken')).toHaveLength(9);
  });

  test('a used token, after its device was deleted', async () => {
    const token = await makeToken();
    await join(token);
    await client.delete(deviceResource, 'pad-1');
    expect(await codeOf(join(token))).toBe('token_used');
  });

  test('an expired token, by the clock of the control plane', async () => {
    const token = await makeToken({ expiresAt: new Date(clock.now() - 1).toISOString() });
    expect(await codeOf(join(token))).toBe('token_expired');
  });

  test('a name of another key', async () => {
    await join(await makeToken());
    expect(await codeOf(join(await makeToken()))).toBe('device_name_taken');
  });

  test('a wrong secret, an unknown name and an access token alike', async () => {
    const token = await makeToken();
    const [, name = '', , fingerprint = ''] = token.split('.');
    const secret = 'A'.repeat(43);
    expect(await codeOf(join(`tlj.${name}.${secret}.${fingerprint}`))).toBe('token_unknown');
    expect(await codeOf(join(`tlj.nobody.${secret}.${fingerprint}`))).toBe('token_unknown');
    expect(await codeOf(join(await makeToken({ purpose: 'Access', user: 'u' })))).toBe(
      'token_unknown',
    );
  });

  test('labels that the token does not allow', async () => {
    const labels = { team: 'ops' };
    const fixed = { labels: { team: 'design' } };
    expect(await codeOf(join(await makeToken(fixed), { labels: { site: 'x' } }))).toBe(
      'labels_refused',
    );
    expect(
      await codeOf(join(await makeToken({ ...fixed, extraLabels: 'Allow' }), { labels })),
    ).toBe('labels_refused');
    expect(await codeOf(join(await makeToken(), { labels }))).toBe('none');
  });

  test.each(['UPPER', 'with.dot', '-x', 'x'.repeat(64)])('the name %s', async (name) => {
    expect(await codeOf(join(await makeToken(), { name }))).toMatch(
      /device_name_invalid|enrolment_invalid/,
    );
  });

  test('a proof by another key', async () => {
    const answer = await post('/gateway/v1/enrol', {
      token: await makeToken(),
      name: 'pad-1',
      platform: 'linux/amd64',
      publicKey: (await spkiOf(newDeviceKey())).toString('base64url'),
      proof: randomBytes(64).toString('base64url'),
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'proof_invalid' } });
  });

  test('too many failures from one address, until a minute has passed', async () => {
    const guess = `tlj.t.${'A'.repeat(43)}.${authority.fingerprint}`;
    for (let tries = 0; tries < 10; tries += 1) {
      expect(await codeOf(join(guess))).toBe('token_unknown');
    }
    expect(await codeOf(join(await makeToken()))).toBe('too_many_requests');
    await clock.advance(61_000);
    expect(await codeOf(join(await makeToken()))).toBe('none');
  });

  test('a body that is too long', async () => {
    expect(await post('/gateway/v1/enrol', { token: 'x'.repeat(20_000) })).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    });
  });
});

test('the token is not sent to a server of another authority', async () => {
  await using other = await temporaryFolder();
  const impostor = await createCertificateAuthority({ directory: other.path, clock: systemClock });
  const { server: trap, url: trapUrl } = await serve(impostor);
  let requests = 0;
  trap.on('request', () => (requests += 1));
  const token = await makeToken();
  expect(await codeOf(join(token, { server: trapUrl }))).toBe('ca_mismatch');
  expect(requests).toBe(0);
  trap.closeAllConnections();
  trap.close();
});

test('nobody there is gateway_unreachable', async () => {
  const token = await makeToken();
  server.closeAllConnections();
  server.close();
  expect(await codeOf(join(token))).toBe('gateway_unreachable');
});

async function spkiOf(key: string): Promise<Buffer> {
  const { publicKeyOf } = await import('./device-key.ts');
  return Buffer.from(publicKeyOf(key));
}

async function post(path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const { request } = await import('node:https');
  const outgoing = request(new URL(path, url), {
    method: 'POST',
    ca: authority.certificatePem,
    agent: false,
  });
  outgoing.end(JSON.stringify(body));
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) };
}
