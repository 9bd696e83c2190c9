import { createHash, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isTaplineError, seededRng, silentLog, systemClock, systemRng } from '@tapline/base';
import { createHttpClient, type HttpClient, loadKubeconfig } from '@tapline/client';
import {
  connectSession,
  enrolDevice,
  formatJoinToken,
  hashSecret,
  newDeviceKey,
} from '@tapline/gateway';
import { createInformer } from '@tapline/reconcile';
import {
  type Delivery,
  deliveryResource,
  deviceResource,
  findCondition,
  type Install,
  installResource,
  tokenResource,
} from '@tapline/resources';
import { haveProgram, startProcess, type StartedProcess, temporaryFolder } from '@tapline/testing';
import { startBottleMirror } from '../tools/bottle-mirror/bottle-mirror.ts';

const tapline = fileURLToPath(new URL('../dist/tapline/main.js', import.meta.url));
// What the bottle mirror makes bottles with.
const missing = ['apt-get', 'patchelf', 'readelf'].filter((program) => !haveProgram(program));
const devices = ['d1', 'd2', 'd3'];
const kills = 8;

/** A device that obeys, and notes whatever a device must never be told. */
class SimulatedDevice implements AsyncDisposable {
  readonly contradictions: string[] = [];
  readonly #opened = new AsyncDisposableStack();
  readonly #told = new Map<string, { revision: number; image: string }>();
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async join(server: string, token: string): Promise<void> {
    const name = this.#name;
    const identity = await enrolDevice({
      server: new URL(server),
      token,
      name,
      platform: 'linux/amd64',
      labels: {},
      privateKeyPem: newDeviceKey(),
      clock: systemClock,
    });
    const { caPem: ca, certificatePem: certificate, privateKeyPem: key } = identity;
    const client = this.#opened.use(
      createHttpClient({
        baseUrl: server,
        ca,
        credentials: { kind: 'certificate', certificate, key },
        userAgent: 'simulated-device',
        clock: systemClock,
        timeoutMs: 5000,
      }),
    );
    const common = { clock: systemClock, rng: systemRng, log: silentLog };
    this.#opened.use(
      connectSession({
        ...common,
        server: new URL(server),
        tls: () => ({ ca, cert: certificate, key }),
        report: () => ({
          agentVersion: '0.0.0',
          platform: 'linux/amd64',
          bootId: 'simulated',
          runtimes: [],
          storage: { freeBytes: 2 ** 40, reservedBytes: 0, usedBytes: 0 },
          certificateNotAfter: new Date(identity.notAfter).toISOString(),
        }),
        service: {},
      }),
    );
    const installs = this.#opened.use(
      createInformer(client, installResource, {
        ...common,
        fieldSelector: `spec.device=${name}`,
        maxBackoffMs: 300,
      }),
    );
    installs.onChange(({ kind, object }) => {
      if (kind !== 'deleted') void this.#obey(client, object);
    });
  }

  async #obey(client: HttpClient, install: Install): Promise<void> {
    const { metadata, spec, status } = install;
    const { revision } = spec;
    const image = spec.image.digest;
    const told = this.#told.get(metadata.uid ?? '');
    if (told !== undefined && revision < told.revision) {
      this.contradictions.push(`revision ${revision} after ${told.revision}`);
    }
    if (told !== undefined && revision === told.revision && image !== told.image) {
      this.contradictions.push(`revision ${revision} was ${told.image} and is ${image}`);
    }
    this.#told.set(metadata.uid ?? '', { revision, image });
    if (status?.observedRevision === revision) return;
    const body = {
      status: {
        observedRevision: revision,
        state: 'Ready',
        stages: { pulled: 0.001, total: 0.001 },
      },
    };
    await persist(() =>
      client.patch(
        installResource,
        metadata.name,
        { kind: 'merge', body },
        { subresource: 'status' },
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

describe.skipIf(missing.length > 0)(
  `a control plane killed with SIGKILL${missing.length > 0 ? ` (skipped without ${missing.join(', ')})` : ''}`,
  () => {
    const opened = new AsyncDisposableStack();
    let environment: Record<string, string>;
    let data: string;
    let listen = '127.0.0.1:0';
    let controlPlane: StartedProcess;
    let admin: HttpClient;
    let url: string;
    const fleet = devices.map((name) => new SimulatedDevice(name));

    async function start(): Promise<void> {
      controlPlane = await startProcess(
        process.execPath,
        [tapline, 'up', '--data', data, '--listen', listen],
        {
          readyLine: /ready at (https:\S+)/,
          env: environment,
        },
      );
      url = controlPlane.ready?.[1] ?? '';
      listen = new URL(url).host;
    }

    beforeAll(async () => {
      const folder = opened.use(await temporaryFolder());
      const mirror = opened.use(
        await startBottleMirror({ formulae: ['jq'], platforms: ['x86_64_linux'] }),
      );
      data = join(folder.path, 'data');
      environment = {
        ...mirror.environment,
        TAPLINE_KUBECONFIG: join(data, 'admin.kubeconfig'),
        XDG_CONFIG_HOME: join(folder.path, 'config'),
      };
      await start();
      opened.defer(() => controlPlane[Symbol.asyncDispose]());
      const context = await loadKubeconfig(join(data, 'admin.kubeconfig'));
      admin = opened.use(
        createHttpClient({ ...context, userAgent: 'test', clock: systemClock, timeoutMs: 5000 }),
      );
      const secret = Buffer.alloc(32, 7).toString('base64url');
      await admin.create(tokenResource, {
        metadata: { name: 'fleet' },
        spec: {
          purpose: 'Join',
          hash: hashSecret(secret),
          expiresAt: new Date(systemClock.now() + 600_000).toISOString(),
          uses: devices.length,
          role: 'device',
        },
      });
      const caFingerprint = fingerprintOf(context.ca ?? '');
      const token = formatJoinToken({ name: 'fleet', secret, caFingerprint });
      for (const device of fleet) {
        opened.use(device);
        await device.join(url, token);
      }
    });

    afterAll(() => opened.disposeAsync());

    it(`converges after each of ${kills} kills, and has lost nothing that it answered`, async () => {
      const rng = seededRng(20260101);
      const strategy = {
        waves: [1, '100%'],
        quorum: '100%',
        errorBudget: 0,
        progressDeadlineSeconds: 60,
      };
      await admin.create(deliveryResource, {
        metadata: { name: 'jq' },
        spec: { package: { formula: 'jq' }, selector: {}, rollout: 1, strategy },
      });
      for (let kill = 1; kill <= kills; kill += 1) {
        // The first kills hit the build, the later ones the rollout.
        await systemClock.sleep(rng() * (kill <= 2 ? 1500 : 150));
        controlPlane.kill('SIGKILL');
        await controlPlane.exited;
        await start();
        const body = { spec: { rollout: kill + 1 } };
        const answered = await persist(() =>
          admin.patch(deliveryResource, 'jq', { kind: 'merge', body }),
        );
        expect(answered.spec.rollout).toBe(kill + 1);
      }
      const delivery = await complete(admin, kills + 1);
      expect(delivery.status?.counts).toMatchObject({ desired: 3, ready: 3, failed: 0 });
      expect(delivery.status?.history?.[0]?.outcome).toBe('Complete');
      const { items } = await admin.list(installResource);
      expect(items.map(({ spec, status }) => [spec.revision, status?.observedRevision])).toEqual(
        devices.map(() => [delivery.status?.revision, delivery.status?.revision]),
      );
      expect(fleet.flatMap(({ contradictions }) => contradictions)).toEqual([]);
      const known = await admin.list(deviceResource);
      expect(known.items.map(({ metadata }) => metadata.name)).toEqual(devices);
    }, 120_000);
  },
);

/** The delivery when it is complete at a rollout. */
async function complete(admin: HttpClient, rollout: number): Promise<Delivery> {
  const deadlineMs = systemClock.monotonic() + 60_000;
  for (;;) {
    const delivery = await persist(() => admin.get(deliveryResource, 'jq'));
    const { status, spec, metadata } = delivery;
    const ready = findCondition(status?.conditions, 'Ready');
    const isCurrent = status?.observedGeneration === metadata.generation;
    if (isCurrent && spec.rollout === rollout && ready?.reason === 'Complete') return delivery;
    if (systemClock.monotonic() > deadlineMs) {
      throw new Error(`not complete within a minute: ${JSON.stringify(delivery, undefined, 1)}`);
    }
    await systemClock.sleep(50);
  }
}

/** Tries until the control plane is there again; other answers than none are final. */
async function persist<T>(request: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      if (!isTaplineError(error, 'unavailable') || attempt === 200) throw error;
      await systemClock.sleep(50);
    }
  }
}

function fingerprintOf(caPem: string): string {
  return createHash('sha256').update(new X509Certificate(caPem).raw).digest('base64url');
}
