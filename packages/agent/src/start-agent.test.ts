import { once } from 'node:events';
import { join } from 'node:path';
import { type Clock, silentLog, systemClock } from '@tapline/base';
import { decodeFrame, decodeOutcome, encodeFrame, streamProtocol } from '@tapline/gateway';
import { createRegistryClient, type RegistryClient } from '@tapline/registry';
import { deviceResource, installResource, type InstallSpec } from '@tapline/resources';
import { createRuncRuntime } from '@tapline/runtimes';
import { haveProgram, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { joinDevice } from './join-device.ts';
import type { AgentConfig } from './agent-config.ts';
import { type RunningAgent, startAgent } from './start-agent.ts';
import { startTestControlPlane, type TestControlPlane } from './testing/test-control-plane.ts';
import { createTestImages, type TestImages } from './testing/test-images.ts';

const root = process.getuid?.() === 0 && haveProgram('runc');

describe.skipIf(!root)('an agent and its control plane (needs root and runc)', () => {
  let folder: TemporaryFolder;
  let plane: TestControlPlane;
  let registry: RegistryClient;
  let images: TestImages;
  let agent: RunningAgent | undefined;

  beforeEach(async () => {
    folder = await temporaryFolder();
    plane = await startTestControlPlane(join(folder.path, 'plane'));
    registry = createRegistryClient({ baseUrl: plane.url.origin, tls: plane.admin });
    images = createTestImages(join(folder.path, 'build'), registry);
  });
  afterEach(async () => {
    await agent?.[Symbol.asyncDispose]();
    agent = undefined;
    await using runtime = await createRuncRuntime({
      directory: join(dataDirectory(), 'runtime'),
      clock: systemClock,
      log: silentLog,
    });
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await registry[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const dataDirectory = (): string => join(folder.path, 'agent');

  async function joined(clock: Clock = systemClock): Promise<void> {
    await joinDevice({
      dataDirectory: dataDirectory(),
      server: plane.url,
      token: await plane.makeToken(),
      name: 'edge-1',
      platform: 'linux/amd64',
      clock,
    });
  }

  async function started(
    clock: Clock = systemClock,
    more: Pick<AgentConfig, 'directives'> = {},
  ): Promise<RunningAgent> {
    agent = await startAgent({
      dataDirectory: dataDirectory(),
      version: '9.9.9',
      log: silentLog,
      metricsPort: 0,
      clock,
      ...more,
    });
    return agent;
  }

  async function deliver(more: Partial<InstallSpec> = {}): Promise<void> {
    const image = await images.push(
      `image-${more.revision ?? 1}`,
      'case "$1" in --version) echo 1.0;; echo) cat;; *) exit "$1";; esac',
    );
    const spec: InstallSpec = {
      device: 'edge-1',
      delivery: 'tool',
      formula: 'tool',
      version: '1.0',
      revision: 1,
      image,
      ...more,
    };
    await plane.client.create(installResource, { metadata: { name: 'edge-1.tool' }, spec });
  }

  async function ready(): Promise<void> {
    await vi.waitFor(
      async () => {
        const { status } = await plane.client.get(installResource, 'edge-1.tool');
        expect(status).toMatchObject({ state: 'Ready', active: { revision: 1 } });
      },
      { timeout: 20_000, interval: 20 },
    );
  }

  async function exec(
    command: readonly string[],
    stdin: string,
  ): Promise<{ readonly stdout: string; readonly outcome: unknown }> {
    const query = command.map((part) => `command=${encodeURIComponent(part)}`).join('&');
    const path = `/apis/tapline.dev/v1alpha1/installs/edge-1.tool/exec?${query}&stdin=true`;
    const url = new URL(path, plane.url);
    url.protocol = 'wss:';
    const user = new WebSocket(url, streamProtocol, plane.admin);
    let stdout = '';
    let outcome: unknown;
    user.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      if (frame.kind === 'stdout') stdout += Buffer.from(frame.bytes).toString();
      if (frame.kind === 'error') outcome = decodeOutcome(frame.bytes);
    });
    await once(user, 'open');
    user.send(encodeFrame({ kind: 'stdin', bytes: Buffer.from(stdin) }));
    user.send(encodeFrame({ kind: 'close', channel: 0 }));
    await once(user, 'close');
    return { stdout, outcome };
  }

  test('joins, installs, is present, answers exec and is scraped', async () => {
    await joined();
    const { metricsPort, core } = await started();
    await deliver();
    await ready();
    const { status } = await plane.client.get(deviceResource, 'edge-1');
    expect(status).toMatchObject({
      presence: { connected: true, epoch: 1 },
      agentVersion: '9.9.9',
      runtimes: ['runc'],
    });
    expect(await exec(['/opt/bin/tool', 'echo'], 'through the tunnel\n')).toEqual({
      stdout: 'through the tunnel\n',
      outcome: { kind: 'exited', exitCode: 0 },
    });
    expect((await exec(['/opt/bin/tool', '7'], '')).outcome).toEqual({
      kind: 'exited',
      exitCode: 7,
    });
    await core.synced;
    const base = `http://127.0.0.1:${metricsPort}`;
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    expect(metrics).toContain('tapline_stage_duration_seconds_bucket{le="0.0001",stage="pulled"}');
    expect(metrics).toContain('tapline_installs_total{outcome="Ready"} 1');
    expect(metrics).toContain('tapline_build_info{version="9.9.9"} 1');
    expect(metrics).toMatch(/tapline_device_info\{device="[^"]+",platform="linux\/[^"]+"\} 1/);
  });

  test('shows the log of what runs', async () => {
    await joined();
    await started();
    await deliver({
      run: {
        command: [
          '/bin/sh',
          '-c',
          'trap "exit 0" TERM; echo one; echo two; echo three; sleep 1000 & wait',
        ],
        restart: 'Always',
      },
    });
    await ready();
    const { request } = await import('node:https');
    const read = async (query: string): Promise<string> => {
      const path = `/apis/tapline.dev/v1alpha1/installs/edge-1.tool/log?${query}`;
      const outgoing = request(new URL(path, plane.url), { ...plane.admin, agent: false });
      outgoing.end();
      const [response] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>];
      let text = '';
      for await (const chunk of response) text += chunk.toString();
      return text;
    };
    expect(await read('')).toBe('one\ntwo\nthree\n');
    expect(await read('tailLines=2')).toBe('two\nthree\n');
  });

  test('whose clock is an hour off, either way, does not mind', async () => {
    const hour = 3_600_000;
    for (const skew of [-hour, hour]) {
      const clock: Clock = { ...systemClock, now: () => systemClock.now() + skew };
      if (skew < 0) await joined(clock);
      await started(clock);
      if (skew < 0) await deliver();
      await ready();
      await vi.waitFor(async () => {
        const { status } = await plane.client.get(deviceResource, 'edge-1');
        expect(status?.clockSkewSeconds).toBeCloseTo(skew / 1000, -1);
      });
      await agent?.[Symbol.asyncDispose]();
    }
  });

  test.each(['watch', 'calls'] as const)(
    'goes on when its control plane comes back, by %s',
    async (directives) => {
      await joined();
      await started(systemClock, { directives });
      await vi.waitFor(async () => {
        const { status } = await plane.client.get(deviceResource, 'edge-1');
        expect(status?.presence?.connected).toBe(true);
      });
      await plane.goAway();
      await systemClock.sleep(300);
      await plane.comeBack();
      await deliver();
      await ready();
      await vi.waitFor(
        async () => {
          const { status } = await plane.client.get(deviceResource, 'edge-1');
          expect(status?.presence).toMatchObject({ connected: true, epoch: 2 });
        },
        { timeout: 10_000 },
      );
    },
  );

  test('is one in its data folder', async () => {
    await joined();
    await started();
    await expect(
      startAgent({ dataDirectory: dataDirectory(), version: '1', log: silentLog }),
    ).rejects.toMatchObject({ code: 'agent_running' });
  });

  test('has to join first, and only once', async () => {
    await expect(started()).rejects.toMatchObject({ code: 'not_joined' });
    await joined();
    await expect(joined()).rejects.toMatchObject({ code: 'already_joined' });
  });
});
