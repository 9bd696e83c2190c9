import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer as createInnerServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { certifiedIdentity, createApiServer } from '@tapline/apiserver';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import { createHttpClient, createInProcessClient, type ResourceClient } from '@tapline/client';
import {
  createCertificateAuthority,
  createEnrolment,
  createDeviceChallenges,
  createEnrolmentHandler,
  createInstallConnectHandlers,
  createSessionHub,
  formatJoinToken,
  hashSecret,
  type SessionHub,
} from '@tapline/gateway';
import { createRegistryServer, FileBlobStore } from '@tapline/registry';
import { deviceResource, installResource, tokenResource } from '@tapline/resources';
import { imageKeysPath } from '@tapline/signatures';
import { openMemoryStore } from '@tapline/store';
import { testSigner } from './test-signer.ts';

/** The parts of a control plane that an agent speaks to, each of them the real one, on one port. */
export interface TestControlPlane extends AsyncDisposable {
  readonly url: URL;
  readonly client: ResourceClient;
  readonly admin: { readonly ca: string; readonly cert: string; readonly key: string };
  makeToken(): Promise<string>;
  /** Breaks every connection, and refuses new ones until `comeBack`. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** Forgets what was before. */
  compact(): Promise<void>;
}

export async function startTestControlPlane(
  directory: string,
  options: {
    readonly certificateLifetimeMs?: number;
    /** As a gateway of before devices could call it. */
    readonly servesNoCalls?: boolean;
  } = {},
): Promise<TestControlPlane> {
  const clock = systemClock;
  const log = silentLog;
  const authority = await createCertificateAuthority({ directory: join(directory, 'ca'), clock });
  const admin = authority.issueIdentity({ user: 'admin', groups: ['system:masters'] });
  const served = authority.issueServer({ hosts: [] });
  const blobs = await FileBlobStore.open(join(directory, 'content'));
  const registry = await createRegistryServer({
    blobs,
    directory: join(directory, 'registry'),
    authorize: ({ socket }) => ((socket as TLSSocket).authorized ? 'allowed' : 'unauthenticated'),
    log,
    clock,
  });
  const late: { hub?: SessionHub } = {};
  const call: SessionHub['call'] = (...given) => {
    if (late.hub === undefined) throw new Error('the gateway is not open yet');
    return late.hub.call(...given);
  };
  const store = openMemoryStore();
  const api = await createApiServer({
    store,
    definitions: [deviceResource, installResource, tokenResource],
    clock,
    log,
    audit: { record: () => undefined, written: () => Promise.resolve() },
    version: 'test',
    connectHandlers: createInstallConnectHandlers({ hub: { call }, log }),
  });
  const https = createServer({
    cert: served.certificatePem,
    key: served.privateKeyPem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const sockets = new Set<TLSSocket>();
  https.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  const { port } = https.address() as AddressInfo;
  const url = new URL(`https://127.0.0.1:${port}`);
  const client = createHttpClient({
    baseUrl: url.origin,
    ca: authority.certificatePem,
    credentials: {
      kind: 'certificate',
      certificate: admin.certificatePem,
      key: admin.privateKeyPem,
    },
    userAgent: 'test',
    clock,
  });
  const enrol = createEnrolmentHandler({
    enrolment: createEnrolment({ authority, client, clock, log, ...options }),
    authority,
    challenges: createDeviceChallenges({ authority, clock }),
    clock,
    log,
  });
  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    if (path === imageKeysPath) response.end(JSON.stringify({ keys: [testSigner.publicKeyPem] }));
    else if (path.startsWith('/gateway/')) void enrol(request, response);
    else if (path.startsWith('/v2/')) registry.handle(request, response);
    else api.handle(request, response);
  }
  // A test that was slow must not meet a connection that is just being closed for idleness.
  https.keepAliveTimeout = 0;
  https.on('request', onRequest);
  // What comes within tunnels.
  const inner = createInnerServer(onRequest);
  https.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith('/gateway/') === true)
      void late.hub?.upgrade(request, socket, head);
    else api.upgrade(request, socket, head);
  });
  function clientOf(certificate: PeerCertificate): ResourceClient {
    const certified = certifiedIdentity(certificate);
    if (certified === undefined) throw new Error('the certificate names nobody');
    return createInProcessClient(api, certified.identity);
  }
  late.hub = createSessionHub({
    client,
    serveHttp: (socket) => void inner.emit('connection', socket),
    ...(options.servesNoCalls === true ? {} : { clientOf }),
    clock,
    rng: systemRng,
    log,
    pingIntervalMs: 1000,
  });
  let tokens = 0;

  async function stopListening(): Promise<void> {
    const closed = once(https, 'close');
    https.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  return {
    url,
    client,
    admin: {
      ca: authority.certificatePem,
      cert: admin.certificatePem,
      key: admin.privateKeyPem,
    },
    async makeToken() {
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
        },
      });
      return formatJoinToken({ name, secret, caFingerprint: authority.fingerprint });
    },
    goAway: stopListening,
    compact: () => store.compact(store.revision),
    async comeBack() {
      https.listen(port, '127.0.0.1');
      await once(https, 'listening');
    },
    async [Symbol.asyncDispose]() {
      await late.hub?.[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
      if (https.listening) await stopListening();
      await api[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
