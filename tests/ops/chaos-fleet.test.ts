import { spawnSync } from 'node:child_process';
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import {
  type Channel,
  channelResource,
  deviceResource,
  findCondition,
  nodeResource,
} from '@tapline/resources';
import { createIcingaClient } from '@tapline/monitoring';
import { eventually, haveProgram } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { icingaUnavailable } from '../../packages/monitoring/src/testing/start-icinga.ts';
import type { EdgeNode } from '../channels/start-channel-system.ts';
import { type FilmOrigin, startFilmOrigin } from './support/film-origin.ts';
import { playFilms } from './support/play-films.ts';
import { stageTimes } from './support/stage-times.ts';
import { type OpsFleet, startOpsFleet } from './support/start-ops-fleet.ts';

// By command, `npm run chaos`: it takes minutes, and some of it is measured.
const needs = [
  ...(process.env['TAPLINE_LONG_TESTS'] === undefined ? ['TAPLINE_LONG_TESTS=1'] : []),
  ...['prometheus', 'prometheus-alertmanager'].filter((program) => !haveProgram(program)),
  ...(process.getuid?.() === 0 ? [] : ['root']),
];
const unavailable = needs.length > 0 ? `(needs ${needs.join(', ')})` : icingaUnavailable();
const segments = 300;
const withinMs = 60_000;

interface LookResult {
  readonly exit_status: number;
  readonly output: string;
  readonly performance_data: readonly string[];
}

function print(what: string, value: string): void {
  process.stdout.write(`chaos: ${what}: ${value}\n`);
}

describe.skipIf(unavailable !== undefined)(`faults of a fleet ${unavailable ?? ''}`, () => {
  let fleet: OpsFleet;
  let origin: FilmOrigin;
  /** What OpsBot did, as it has to be in the end: nothing else may be there. */
  const expected: string[] = [];

  beforeAll(async () => {
    origin = await startFilmOrigin(segments);
    fleet = await startOpsFleet(['e1', 'e2', 'e3', 'e4']);
    const { client } = fleet.system.controlPlane;
    // All of them are on this machine, and as nodes of segments none is another's twin.
    for (const [at, { name }] of fleet.system.nodes.entries()) {
      const body = { spec: { underlay: `192.0.2.${at + 1}` } };
      await client.patch(nodeResource, name, { kind: 'merge', body });
    }
    const channel = (name: string, nodes: string, replicas: number): string => `
apiVersion: tapline.dev/v1alpha1
kind: Channel
metadata: { name: ${name} }
spec:
  origin: { url: ${origin.url}/${name}/main.m3u8 }
  edges: { replicas: ${replicas}, nodes: 'place in (${nodes})', moveAfterSeconds: 1, leaveSeconds: 1 }
  prime: { lastSeconds: 100000 }
  objectives: { hitRatio: 0.9, trafficHitRatio: 0.9 }
`;
    const both = `${channel('news', 'e1, e2, e3', 2)}---${channel('films', 'e3, e4', 1)}`;
    await fleet.system.apply(both);
    for (const name of ['news', 'films']) await untilReady(name);
    // Several faults of a kind come one after the other here.
    for (const name of ['low-hit-ratio', 'slow-stream']) {
      await fleet.changePlaybook(name, { guards: { cooldownSeconds: 0 } });
    }
    // Without its pause, an alert that comes after the repair would be a fault of its own.
    await fleet.changePlaybook('low-hit-ratio', { on: { alert: null } });
  }, 240_000);
  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
    await origin?.[Symbol.asyncDispose]();
  });

  function untilReady(name: string): Promise<Channel> {
    return fleet.system.until(name, `${name} is ready`, ({ status }) => status?.step === 'Ready');
  }

  function node(name: string): EdgeNode {
    const found = fleet.system.nodes.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  /** Plays both channels at each edge that they have now. */
  async function play(): Promise<AsyncDisposable> {
    const { client } = fleet.system.controlPlane;
    const channels = await Promise.all(
      ['news', 'films'].map((name) => client.get(channelResource, name)),
    );
    const edges = channels.flatMap(({ metadata, status }) =>
      (status?.edges ?? []).map(({ url }) => `${url}/${metadata.name}/`),
    );
    const playing = playFilms({ edges: () => edges, segments, perSecond: 24 });
    for (const name of ['news', 'films']) {
      await fleet.system.until(
        name,
        `${name} is played from its caches`,
        ({ status }) => findCondition(status?.conditions, 'HitRatio')?.status === 'True',
      );
    }
    return playing;
  }

  /** Somebody at a machine flushes the wrong cache. */
  async function makeCold(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const body = { kind: 'channel', channel: 'news', mode: 'hard' };
      await node(name).askEdge('/v1/purge', body);
    }
  }

  const isOver = { withinMs };
  const coldCache = { playbook: 'low-hit-ratio', target: 'news' };

  test('a cold cache is filled before anybody has read of it', { timeout: 120_000 }, async () => {
    await using playing = await play();
    expect(playing).toBeDefined();
    // The twin without a fault: all that starting has told has begun nothing.
    expect(await fleet.remediations()).toEqual([]);
    await using news = fleet.follow('news', 'HitRatio');
    await using films = fleet.follow('films', 'HitRatio');
    await eventually('it is well', () => news.seen.at(-1)?.status === 'True', isOver);
    const coldMs = systemClock.now();
    await makeCold('e1', 'e2');
    const fault = await eventually(
      'the fault is seen',
      () => news.seen.find(({ status }) => status === 'False'),
      isOver,
    );
    const over = await eventually(
      'it is over',
      () => news.seen.find(({ status, atMs }) => status === 'True' && atMs > fault.atMs),
      isOver,
    );
    const done = await fleet.until('it is done', coldCache, ({ status }) => {
      return status?.phase === 'Succeeded';
    });
    expected.push('low-hit-ratio news');
    expect(done.status?.evidence).toMatchObject([{ source: 'condition' }]);
    expect(done.status?.steps?.map(({ state }) => state)).toEqual(['Done', 'Done']);
    expect(films.seen.map(({ status }) => status)).not.toContain('False');
    print('of it, from the flush by hand', stageTimes(done, coldMs));
    print(
      'a cold cache is flushed, primed and well again after it was seen',
      `${Math.round(over.atMs - fault.atMs)} ms`,
    );
    expect(over.atMs - fault.atMs).toBeLessThan(30_000);
  });

  test(
    'the same on the word of Prometheus alone, by its alert, until that is over',
    { timeout: 180_000 },
    async () => {
      const alert = { name: 'TaplineCacheHitRatioLow' };
      await fleet.changePlaybook('low-hit-ratio', { on: { condition: null, alert } });
      await using playing = await play();
      expect(playing).toBeDefined();
      await makeCold('e1', 'e2');
      const done = await fleet.until('it is done', coldCache, ({ status }) => {
        const [evidence] = status?.evidence ?? [];
        return status?.phase === 'Succeeded' && evidence?.source === 'alertmanager';
      });
      expected.push('low-hit-ratio news');
      const question = ['ops', 'ask', 'what is wrong with news?', '--prometheus', fleet.prometheus];
      const { out } = await fleet.system.tapline(question);
      expect(out).toMatch(/Prometheus: caches answer \d+\.\d % of what players ask\./);
      expect(done.status?.evidence?.[0]?.says).toMatch(/^Caches answer .* of channel news\.$/);
      await fleet.changePlaybook('low-hit-ratio', {
        on: { condition: { type: 'HitRatio', status: 'False' }, alert: null },
      });
    },
  );

  test(
    'a control plane that is killed while caches are filled goes on, and does it once',
    { timeout: 180_000 },
    async () => {
      const { controlPlane } = fleet.system;
      const { client } = controlPlane;
      const body = { spec: { prime: { bytesPerSecond: 125_000 } } };
      const { status: was } = await client.get(channelResource, 'news');
      await client.patch(channelResource, 'news', { kind: 'merge', body });
      await eventually(
        'it is primed at its new rate',
        async () => {
          const { status } = await client.get(channelResource, 'news');
          return status?.template !== was?.template && status?.step === 'Ready';
        },
        isOver,
      );
      const before = await client.get(channelResource, 'news');
      await using playing = await play();
      expect(playing).toBeDefined();
      await makeCold('e1', 'e2');
      const begun = await fleet.until('it fills caches', coldCache, ({ status }) => {
        return status?.phase === 'Running' && status.steps?.[1]?.state === 'Checking';
      });
      await controlPlane.kill();
      const killedMs = performance.now();
      await controlPlane.start();
      const done = await fleet.until('it is done', coldCache, ({ status, metadata }) => {
        return metadata.uid === begun.metadata.uid && status?.phase === 'Succeeded';
      });
      expected.push('low-hit-ratio news');
      print(
        'done after the control plane was killed in the middle',
        `${Math.round(performance.now() - killedMs)} ms`,
      );
      expect(done.status?.epoch).toBeGreaterThan(begun.status?.epoch ?? 0);
      const { spec } = await client.get(channelResource, 'news');
      expect(spec.flush.generation).toBe(before.spec.flush.generation + 1);
      expect(spec.prime.generation).toBe(before.spec.prime.generation + 1);
    },
  );

  test('an edge that hangs is left, and its channel served elsewhere', async () => {
    const slow = { playbook: 'slow-stream', target: 'news' };
    await using stream = fleet.follow('films', 'Stream');
    node('e2').signalEdge('SIGSTOP');
    const done = await fleet.until('it is done', slow, ({ status }) => {
      return status?.phase === 'Succeeded';
    });
    expected.push('slow-stream news');
    node('e2').signalEdge('SIGCONT');
    expect(done.status?.plan?.[0]?.text).toBe('move workload news.channel away from node e2');
    const { status } = await untilReady('news');
    expect(status?.edges?.map(({ node: name }) => name).toSorted()).toEqual(['e1', 'e3']);
    expect(stream.seen.map((one) => one.status)).not.toContain('False');
    // It may have it another time.
    const { client } = fleet.system.controlPlane;
    const { metadata } = await client.get(deviceResource, 'e2');
    expect(Object.keys(metadata.labels ?? {}).filter((key) => key.startsWith('avoid.'))).toEqual(
      [],
    );
  }, 180_000);

  test('a disk that fills up waits for a person, who approves just that', async () => {
    const { system } = fleet;
    const { client } = system.controlPlane;
    // Twins: another node with a disk of the same size that stays empty.
    for (const name of ['f1', 'f2']) {
      const data = join(system.folder, name);
      await mkdir(data, { mode: 0o711 });
      const words = ['-t', 'tmpfs', '-o', 'size=1g,mode=0711', 'tmpfs', data];
      expect(spawnSync('mount', words).status).toBe(0);
    }
    try {
      await system.addNode('f1');
      await system.addNode('f2');
      const filled = join(system.folder, 'f1', 'filled');
      const piece = Buffer.alloc(2 ** 23, 1);
      for (let bytes = 0; bytes < 800 * 2 ** 20; bytes += piece.length) {
        await appendFile(filled, piece);
      }
      const full = { playbook: 'full-disk', target: 'f1' };
      const asked = await fleet.until('it waits for a person', full, ({ status }) => {
        return status?.phase === 'AwaitingApproval';
      });
      expect(asked.status?.evidence).toMatchObject([{ source: 'icinga', key: 'icinga/f1!disk' }]);
      const { name } = asked.metadata;
      const digest = asked.status?.digest ?? '';
      // The playbook changes after it was shown: what was approved is another thing.
      await fleet.changePlaybook('full-disk', { guards: { cooldownSeconds: 60 } });
      const changed = await fleet.until('it is another plan', full, ({ status }) => {
        return status?.phase === 'AwaitingApproval' && status.digest !== digest;
      });
      const replayed = await system.tapline(['ops', 'approve', name, digest.slice(0, 12)]);
      expect(replayed.code).not.toBe(0);
      await systemClock.sleep(500);
      expect((await client.get(nodeResource, 'f1')).spec.draining).toBeUndefined();
      const now = changed.status?.digest?.slice(0, 12) ?? '';
      expect(await system.tapline(['ops', 'approve', name, now])).toMatchObject({ code: 0 });
      await fleet.until('it is drained', full, ({ status }) => status?.phase === 'Succeeded');
      expected.push('full-disk f1');
      expect((await client.get(nodeResource, 'f1')).spec.draining).toBe(true);
    } finally {
      for (const name of ['f1', 'f2']) {
        spawnSync('umount', ['--lazy', join(system.folder, name)]);
      }
    }
  }, 180_000);

  test(
    'Icinga looks at channels and tunnels by itself, with plugins',
    { timeout: 180_000 },
    async () => {
      await using playing = await play();
      expect(playing).toBeDefined();
      await using icinga = createIcingaClient({ endpoint: fleet.icinga.administrator });
      const wanted = ['check-certificate', 'check-hit-ratio', 'check-stream', 'check-tunnel'];
      const results = await eventually(
        'each has looked at something',
        async () => {
          const found = await icinga.objects.query('services', {
            attrs: ['name', 'last_check_result'],
            filter: 'host.name in names && service.name in wanted',
            filterVars: { names: ['channel_news', 'e3'], wanted },
          });
          const told = found.flatMap(({ attrs }) => {
            const result = attrs['last_check_result'] as LookResult | null;
            return result === null ? [] : [[String(attrs['name']), result] as const];
          });
          return told.length === wanted.length ? new Map(told) : undefined;
        },
        { withinMs: 90_000 },
      );
      for (const name of wanted) {
        const { exit_status: code, output } = results.get(name) ?? {};
        expect([name, code, output]).toEqual([name, 0, expect.stringMatching(/^OK: /)]);
      }
      const labels = (name: string) =>
        (results.get(name)?.performance_data ?? []).map((one) => one.split('=', 1)[0]);
      expect(labels('check-stream')).toEqual(['first-segment', 'edges']);
      expect(labels('check-hit-ratio')).toContain('requests');
      expect(labels('check-tunnel')[0]).toBe('rtt');
      expect(labels('check-certificate')).toEqual(['left']);
    },
  );

  test('a selector that takes everything cannot be written', async () => {
    const text = `
apiVersion: tapline.dev/v1alpha1
kind: Playbook
metadata: { name: everything }
spec:
  mode: Automatic
  on: { schedule: { everySeconds: 10 } }
  target: { kind: Node, selector: '' }
  steps: [{ action: drain-node }]
`;
    await expect(fleet.system.apply(text)).rejects.toThrow(/selector/);
    const none = text.replace(", selector: ''", '');
    await expect(fleet.system.apply(none)).rejects.toThrow(/everything is never meant/);
  });

  test('a certificate that ends and was not renewed is told', async () => {
    const { client } = fleet.system.controlPlane;
    const inHours = (hours: number): string =>
      new Date(systemClock.now() + hours * 3_600_000).toISOString();
    for (const [name, hours] of [
      ['tablet', 4],
      ['phone', 20],
    ] as const) {
      const device = await client.create(deviceResource, {
        metadata: { name },
        spec: { platform: 'linux/arm64', role: 'device' },
      });
      const status = { certificateNotAfter: inHours(hours) };
      await client.updateStatus(deviceResource, { ...device, status });
    }
    const ends = { playbook: 'expiring-certificate', target: 'tablet' };
    const told = await fleet.until('it is told', ends, ({ status }) => {
      return status?.phase === 'Succeeded';
    });
    expect(told.status?.evidence).toMatchObject([{ key: 'icinga/tablet!certificate' }]);
    expected.push('expiring-certificate tablet');
  }, 120_000);

  test('a node that comes and goes is drained once', async () => {
    const flapping = { playbook: 'device-flapping', target: 'e4' };
    for (let at = 0; at < 4; at += 1) {
      await node('e4').agent.kill();
      await eventually('it is gone', async () => !(await isConnected('e4')), isOver);
      await node('e4').agent.start();
      await eventually('it is back', async () => await isConnected('e4'), isOver);
    }
    const done = await fleet.until('it is drained', flapping, ({ status }) => {
      return status?.phase === 'Succeeded' || status?.phase === 'Failed';
    });
    expect(done.status?.steps?.[0]?.says).toBe('nothing is left on it');
    expected.push('device-flapping e4');
  }, 180_000);

  async function isConnected(name: string): Promise<boolean> {
    const { client } = fleet.system.controlPlane;
    return (await client.get(deviceResource, name)).status?.presence?.connected === true;
  }

  test('a node that stops answering is drained, and its channels are served elsewhere', async () => {
    const begun = await untilReady('news');
    expect(begun.status?.edges?.map(({ node: name }) => name)).toContain('e1');
    const stoppedMs = performance.now();
    // Its connections stay open, as when the power goes: only heartbeats are missed.
    node('e1').freeze(true);
    const gone = eventually('it is missed', async () => !(await isConnected('e1')), isOver).then(
      () => performance.now() - stoppedMs,
    );
    const untilElsewhere = async (states: readonly string[]): Promise<number> => {
      await fleet.system.until('news', `it is ${states.join()} elsewhere`, ({ status }) => {
        const nodes = (status?.edges ?? []).filter(({ state }) => states.includes(state));
        return nodes.length === 2 && nodes.every(({ node: name }) => name !== 'e1');
      });
      return performance.now() - stoppedMs;
    };
    const movedMs = await untilElsewhere(['Serving', 'Ready']);
    const primedMs = await untilElsewhere(['Ready']);
    const dead = { playbook: 'dead-node', target: 'e1' };
    const drained = await fleet.until('it is drained', dead, ({ status }) => {
      return status?.phase === 'Succeeded';
    });
    expected.push('dead-node e1');
    await node('e1').die();
    const missedMs = await gone;
    print(
      'a node that stops with its connections open: missed, its channel served elsewhere, and primed there',
      `${Math.round(missedMs)} ms, ${Math.round(movedMs)} ms, ${Math.round(primedMs)} ms`,
    );
    const { acceptedAt = '', finishedAt = '' } = drained.status ?? {};
    print('of it, OpsBot drains it', `${Date.parse(finishedAt) - Date.parse(acceptedAt)} ms`);
    expect(movedMs).toBeLessThan(30_000);
  }, 120_000);

  test('nothing else was done, to no twin', async () => {
    const done = (await fleet.remediations()).map(
      ({ spec }) => `${spec.playbook} ${spec.target.name}`,
    );
    // Flapping is several faults of one node: each time that it is gone may be one of its own.
    const others = done.filter((one) => !/^(?:dead-node|node-is-back) e4$/.test(one));
    expect(others.toSorted()).toEqual(expected.toSorted());
  });
});
