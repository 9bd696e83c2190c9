import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { loadKubeconfig, type NewObjectOf } from '@tapline/client';
import { createRegistryClient } from '@tapline/registry';
import {
  deviceKeyAnnotation,
  deviceResource,
  installResource,
  revokedDeviceKey,
} from '@tapline/resources';
import {
  type Browser,
  type BrowserPage,
  browserProgram,
  eventually,
  type PageFile,
  startBrowser,
  temporaryFolder,
} from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundlePage } from './support/bundle-page.ts';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from './support/control-plane-process.ts';
import { runTapline } from './support/run-tapline.ts';
import { pushSmallImage } from './support/small-image.ts';
import { type Relay, startRelay } from './support/start-relay.ts';

/** What the page does; everything is of the product but the clock's jumps and the notes. */
const script = `
import { systemClock } from '../packages/base/src/index.ts';
import { joinPage, startPageAgent } from '../packages/web-agent/src/index.ts';

const notes = { connections: [], ends: [], log: [], offered: [] };
const note = (message, fields) => void notes.log.push(message + ' ' + JSON.stringify(fields ?? {}, (_key, value) => value instanceof Error ? value.code ?? value.message : value));
const log = { debug: note, info: note, warn: note, error: note, with: () => log };
let jumpMs = 0;
const clock = {
  now: systemClock.now,
  monotonic: () => systemClock.monotonic() + jumpMs,
  sleep: (ms, options) => systemClock.sleep(Math.min(ms, 1000), options),
};
class NotedWebSocket extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols);
    notes.offered.push(protocols);
  }
}
globalThis.WebSocket = NotedWebSocket;
const server = new URL(location.origin);
const common = { server, storage: 'device', platform: 'linux/amd64' };
globalThis.twin = {
  notes,
  jump: (ms) => void (jumpMs += ms),
  join: (token, name) => joinPage({ ...common, token, name }),
  async start() {
    twin.agent = await startPageAgent({
      ...common, version: '1', log, clock, baseBackoffMs: 20, maxBackoffMs: 200,
      onConnected: (connection) => void notes.connections.push(connection),
      onDisconnected: () => void notes.ends.push(Date.now()),
    });
    return twin.agent.device;
  },
  async ask(path, service = 'api') {
    const answer = await twin.agent.send(service, 'bulk')({ method: 'GET', path, headers: {} });
    const parts = [];
    for await (const part of answer.body) parts.push(part);
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return { status: answer.status, bytes: bytes.length, sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
  },
  async replay() {
    const socket = new WebSocket(new URL('/gateway/v1/tunnel', location.href), notes.offered[0]);
    return await new Promise((resolve) => socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason })));
  },
  async keep() {
    const opening = indexedDB.open('device', 1);
    await new Promise((resolve) => opening.addEventListener('success', resolve));
    const get = (shelf, key) => new Promise((resolve) => {
      const request = opening.result.transaction(shelf).objectStore(shelf).get(key);
      request.addEventListener('success', () => resolve(request.result));
    });
    const { privateKey } = await get('meta', 'key');
    const shown = await crypto.subtle.exportKey('pkcs8', privateKey).then(() => 'shown', (error) => error.name);
    const { notAfter } = await get('meta', 'identity');
    return { extractable: privateKey.extractable, shown, notAfter };
  },
};
`;

const program = browserProgram();

describe.skipIf(program === undefined)('the agent in a page', () => {
  const opened = new AsyncDisposableStack();
  let plane: ControlPlaneProcess;
  let relay: Relay;
  let browser: Browser;
  let base: string;
  let files: ReadonlyMap<string, PageFile>;
  let small: string;
  const large = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)).buffer);
  const largeBytes = Buffer.concat(Array.from({ length: 100 }, () => large));
  const largeDigest = `sha256:${createHash('sha256').update(largeBytes).digest('hex')}` as const;

  async function tapline(...words: readonly string[]): Promise<string> {
    const { code, out, err } = await runTapline([...words, '--kubeconfig', plane.kubeconfig]);
    if (code !== 0) throw new Error(err);
    return out.trim();
  }

  beforeAll(async () => {
    const folder = opened.use(await temporaryFolder());
    const [started, bundled] = await Promise.all([
      startControlPlaneProcess(folder.path, {
        HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
        XDG_CONFIG_HOME: join(folder.path, 'config'),
      }),
      bundlePage(script, { base: 'https://page/' }),
    ]);
    plane = opened.use(started);
    relay = opened.use(await startRelay({ port: Number(new URL(plane.url).port) }));
    base = `https://127.0.0.1:${relay.port}/page/`;
    files = new Map([...bundled].map(([url, file]) => [url.replace('https://page/', base), file]));
    const context = await loadKubeconfig(plane.kubeconfig);
    if (context.credentials.kind !== 'certificate') throw new Error('no certificate');
    const { certificate: cert, key } = context.credentials;
    const ca = context.ca ?? '';
    await using registry = createRegistryClient({ baseUrl: plane.url, tls: { ca, cert, key } });
    small = await pushSmallImage(registry, { repository: 'tools/jq', tag: 'latest' });
    await registry.pushBlob('tools/jq', {
      digest: largeDigest as never,
      size: largeBytes.length,
      async *open() {
        yield await Promise.resolve(largeBytes);
      },
    });
    const signingKey = join(plane.data, 'image-keys/key.pem');
    await tapline('image', 'sign', 'tools/jq:latest', '--key', signingKey);
    browser = opened.use(await startBrowser({ trust: [ca] }));
  }, 60_000);
  afterAll(() => opened.disposeAsync());

  function openPage(profile: string): Promise<BrowserPage> {
    return browser.open(base, { profile, files });
  }

  /** A page that has joined, and its agent. */
  async function device(name: string): Promise<BrowserPage> {
    const page = await openPage(name);
    const token = await tapline('token', 'create');
    await page.evaluate(
      `twin.join(${JSON.stringify(token)}, ${JSON.stringify(name)}).then(() => 0)`,
    );
    expect(await page.evaluate('twin.start()')).toBe(name);
    await connections(page, 1);
    return page;
  }

  function connections(
    page: BrowserPage,
    least: number,
  ): Promise<readonly { readonly epoch: number; readonly previousEpoch?: number }[]> {
    return eventually(`${least} connections`, async () => {
      const seen =
        await page.evaluate<readonly { readonly epoch: number }[]>('twin.notes.connections');
      if (seen.length >= least) return seen;
      throw new Error(
        (await page.evaluate<readonly string[]>('twin.notes.log.slice(-20)')).join('\n') +
          page.console().join('\n'),
      );
    });
  }

  function installOf(
    name: string,
    more: Partial<NewObjectOf<typeof installResource>['spec']> = {},
  ): NewObjectOf<typeof installResource> {
    const [of = ''] = name.split('.');
    const image = { digest: small, platform: 'linux/amd64', sizeBytes: 1000, unpackedBytes: 1024 };
    return {
      metadata: { name },
      spec: {
        device: of,
        delivery: 'none',
        formula: 'jq',
        version: '1',
        revision: 1,
        image: { repository: 'tools/jq', ...image },
        ...more,
      },
    };
  }

  function settled(name: string): Promise<unknown> {
    return eventually(`${name} has ended one way or the other`, async () => {
      const { status } = await plane.client.get(installResource, name);
      const { state = '', error } = status ?? {};
      return ['Ready', 'Failed', 'RolledBack'].includes(state) && { state, code: error?.code };
    });
  }

  test('joins, gets its Installs, keeps what is signed, and goes on after a cut', async () => {
    const page = await device('tablet');
    const kept = await page.evaluate<{ notAfter: number }>('twin.keep()');
    expect(kept).toMatchObject({ extractable: false, shown: 'InvalidAccessError' });
    const shown = await eventually('presence', async () => {
      const { status } = await plane.client.get(deviceResource, 'tablet');
      return status?.presence?.connected === true && status;
    });
    expect(shown).toMatchObject({ agentVersion: '1', presence: { epoch: 1 } });

    await plane.client.create(installResource, installOf('tablet.jq'));
    expect(await settled('tablet.jq')).toEqual({ state: 'Ready', code: undefined });
    const run = { command: ['jq'], restart: 'Always' as const };
    await plane.client.create(installResource, installOf('tablet.run', { run }));
    expect(await settled('tablet.run')).toEqual({ state: 'Failed', code: 'runtime_unavailable' });

    // In the midst of six megabytes, which arrive whole, over the session that there was.
    relay.cutAfter(2_000_000);
    const blob = `/v2/tools/jq/blobs/${largeDigest}`;
    const answer = page.evaluate(`twin.ask(${JSON.stringify(blob)}, 'registry')`);
    expect(await answer).toEqual({
      status: 200,
      bytes: largeBytes.length,
      sha256: largeDigest.slice('sha256:'.length),
    });
    expect(await connections(page, 2)).toMatchObject([
      { epoch: 1 },
      { epoch: 2, previousEpoch: 1 },
    ]);
    await plane.client.create(installResource, installOf('tablet.two'));
    expect(await settled('tablet.two')).toMatchObject({ state: 'Ready' });

    // A certificate lasts a day: after two thirds of it and up to a tenth more there is another, without
    // anybody's help.
    await page.evaluate('twin.jump(20 * 3_600_000)');
    await eventually('a renewed certificate', async () => {
      const log = await page.evaluate<readonly string[]>('twin.notes.log');
      if (log.some((line) => line.startsWith('certificate renewed'))) return true;
      throw new Error(log.slice(-20).join('\n'));
    });
    await connections(page, 3);
    const { notAfter } = await page.evaluate<{ notAfter: number }>('twin.keep()');
    expect(notAfter).toBeGreaterThanOrEqual(kept.notAfter);
    expect(
      await page.evaluate(`twin.ask('/apis/tapline.dev/v1alpha1/devices/tablet')`),
    ).toMatchObject({ status: 200 });

    // As a device elsewhere: its own and nothing else.
    expect(await page.evaluate(`twin.ask('/apis/tapline.dev/v1alpha1/devices')`)).toMatchObject({
      status: 403,
    });
    expect(await page.evaluate(`twin.ask('/v2/other/tags/list', 'registry')`)).toMatchObject({
      status: 403,
    });

    // Another page of the same origin is not the device a second time, and one after it is, unasked.
    await using second = await openPage('tablet');
    await expect(second.evaluate('twin.start()')).rejects.toThrow('another page is device');
    await page[Symbol.asyncDispose]();
    await eventually('the device once more', () => second.evaluate('twin.start()'));
    expect(await connections(second, 1)).toMatchObject([{ epoch: expect.any(Number) }]);
    await plane.client.create(installResource, installOf('tablet.three'));
    expect(await settled('tablet.three')).toMatchObject({ state: 'Ready' });
  }, 120_000);

  test('is let in by a fresh signature only, and put out at once when revoked', async () => {
    const took: number[] = [];
    for (const name of ['lost-1', 'lost-2', 'lost-3']) {
      await using page = await device(name);
      expect(await page.evaluate('twin.replay()')).toEqual({
        code: 4401,
        reason: 'challenge_used',
      });
      const body = { metadata: { annotations: { [deviceKeyAnnotation]: revokedDeviceKey } } };
      const fromMs = Date.now();
      await plane.client.patch(deviceResource, name, { kind: 'merge', body });
      const [endMs] = await eventually('its end', async () => {
        const ends = await page.evaluate<readonly number[]>('twin.notes.ends');
        return ends.length > 0 && ends;
      });
      took.push((endMs ?? Number.POSITIVE_INFINITY) - fromMs);
      // It goes on trying, and hears why it is not let in.
      await eventually('the refusal', () =>
        page.evaluate<boolean>(`twin.notes.log.some((line) => line.includes('device_revoked'))`),
      );
      expect(await page.evaluate('twin.notes.connections.length')).toBe(1);
    }
    // The best of three: a busy machine may hold any one of them up.
    expect(Math.min(...took)).toBeLessThan(1000);
  }, 120_000);

  test('sends no token to a control plane that the token is not for', async () => {
    await using page = await openPage('stranger');
    const token = await tapline('token', 'create');
    const other = `${token.slice(0, -43)}${'A'.repeat(43)}`;
    const joining = page.evaluate(`twin.join(${JSON.stringify(other)}, 'stranger')`);
    await expect(joining).rejects.toThrow('is not the one that this device has joined');
    await expect(page.evaluate('twin.start()')).rejects.toThrow('has no device');
  });
});
