import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { AsyncQueue, silentLog, systemClock, systemRng, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Device, deviceKeyAnnotation, deviceResource } from '@tapline/resources';
import { temporaryFolder } from '@tapline/testing';
import { vi } from 'vitest';
import { type CertificateAuthority, createCertificateAuthority } from '../certificate-authority.ts';
import { connectSession, type Session, type SessionInit } from '../connect-session.ts';
import { newDeviceKey, publicKeyOf } from '../device-key.ts';
import { deviceUser } from '../device-names.ts';
import { keyFingerprint } from '../enrolment-proof.ts';
import type { ExecResponse } from '../rpc/generated/tapline/device/v1/device_pb.ts';
import { createSessionHub, type SessionHub } from '../session-hub.ts';
import { startTestApi } from './start-test-api.ts';

// Who is busy must not look silent.
const hubOptions = { answerTimeoutMs: 2000, pingIntervalMs: 10_000, returnGraceMs: 50 };

/** What a device shows. */
export interface Credentials {
  readonly name: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** A gateway on a port, with an API behind it, and devices that connect to it. */
export interface TestHub extends AsyncDisposable {
  readonly authority: CertificateAuthority;
  readonly client: ResourceClient;
  readonly url: URL;
  /** The one that takes connections. */
  hub: SessionHub;
  /** Another on the same store, as after a start. */
  newHub(more?: Partial<typeof hubOptions>): SessionHub;
  /** Breaks every connection that there has been. */
  cut(): void;
  enrolled(name: string): Promise<Credentials>;
  /** A device that refuses calls with `nothing_here` unless it is given a service. */
  connect(credentials: Credentials, more?: Partial<SessionInit>): Session;
  presence(name: string): Promise<NonNullable<Device['status']>['presence']>;
  /** A call of `echo`, with what it is sent from then on. */
  openEcho(device: string): Promise<{
    readonly send: (bytes: Uint8Array) => void;
    readonly next: () => Promise<ExecResponse['output']>;
  }>;
}

export async function startTestHub(): Promise<TestHub> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const clock = systemClock;
  const authority = await createCertificateAuthority({ directory: folder.path, clock });
  const objects = opened.use(await startTestApi());
  const { client } = objects;
  const { certificatePem: cert, privateKeyPem: key } = authority.issueServer({ hosts: [] });
  const ca = authority.certificatePem;
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket) => sockets.add(socket));
  server.on('upgrade', (request, socket, head) => void gateway.hub.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  opened.defer(() => {
    cut();
    server.close();
  });
  const newHub = (more: Partial<typeof hubOptions> = {}): SessionHub =>
    createSessionHub({
      client,
      clock,
      rng: systemRng,
      log: silentLog,
      ...hubOptions,
      ...more,
    });
  opened.defer(() => gateway.hub[Symbol.asyncDispose]());

  async function enrolled(name: string): Promise<Credentials> {
    const deviceKey = newDeviceKey();
    const publicKey = publicKeyOf(deviceKey);
    await client.create(deviceResource, {
      metadata: { name, annotations: { [deviceKeyAnnotation]: keyFingerprint(publicKey) } },
      spec: { platform: 'linux/amd64', role: 'device' },
    });
    const { certificatePem } = authority.issueClient({
      user: deviceUser(name),
      groups: ['system:devices'],
      publicKey,
    });
    return { name, tls: { ca, cert: certificatePem, key: deviceKey } };
  }

  function connect({ tls }: Credentials, more: Partial<SessionInit> = {}): Session {
    return owned.use(
      connectSession({
        server: url,
        tls: () => tls,
        report: () => ({
          agentVersion: '1.2.3',
          platform: 'linux/amd64',
          bootId: 'boot',
          runtimes: ['runc'],
        }),
        service: {
          logs() {
            throw new TaplineError('nothing_here', 'no calls in this test');
          },
        },
        clock,
        rng: systemRng,
        log: silentLog,
        baseBackoffMs: 20,
        maxBackoffMs: 100,
        ...more,
      }),
    );
  }

  const gateway: TestHub = {
    authority,
    client,
    url,
    hub: newHub(),
    newHub,
    cut,
    enrolled,
    connect,
    presence: async (name) => (await client.get(deviceResource, name)).status?.presence,
    async openEcho(device) {
      const typed = new AsyncQueue<Uint8Array>();
      async function* inputs() {
        yield { input: { case: 'start' as const, value: { command: ['cat'] } } };
        for await (const value of typed) yield { input: { case: 'stdin' as const, value } };
      }
      const { rest } = await gateway.hub.call(device, (calls, options) =>
        calls.exec(inputs(), options),
      );
      const answers = rest[Symbol.asyncIterator]();
      return {
        send: (bytes) => typed.push(bytes),
        next: async () =>
          ((await answers.next()) as IteratorYieldResult<ExecResponse>).value.output,
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  const owned = opened.move();
  return gateway;
}

/** Answers every line with itself. */
export const echo: SessionInit['service'] = {
  async *exec(inputs) {
    for await (const { input } of inputs) {
      if (input.case === 'start') yield { output: { case: 'accepted', value: {} } };
      if (input.case === 'stdin') yield { output: { case: 'stdout', value: input.value } };
    }
  },
};

export function until(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000, interval: 10 });
}
