import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import { parsePlatform } from '@tapline/oci';
import {
  eventually,
  haveProgram,
  startDockerRegistry,
  temporaryFolder,
  type TemporaryFolder,
} from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRegistryClient } from '../client/create-registry-client.ts';
import { isReferrersTag, referrersTag } from '../client/referrers-tag.ts';
import type { RegistryClient } from '../client/registry-client.ts';
import { startRegistry } from '../start-registry.ts';
import { pushSampleImage } from '../testing/sample-image.ts';
import type { ReplicationPolicy } from './replication-policy.ts';
import { type ReplicationEvent, type Replicator, startReplicator } from './replicator.ts';

interface Side {
  readonly client: RegistryClient;
  readonly url: string;
  /** Repositories of PUT and DELETE requests as they came. */
  readonly writes: string[];
  refuse: boolean;
}

const everything: ReplicationPolicy = {
  name: 'all',
  direction: 'push',
  repositories: ['**'],
  tags: [],
  prefix: '',
  referrers: true,
  deletion: false,
  onPush: true,
};

let folder: TemporaryFolder;
let owned: AsyncDisposableStack;
let here: Side;
let there: Side;
let events: ReplicationEvent[];

beforeEach(async () => {
  owned = new AsyncDisposableStack();
  folder = owned.use(await temporaryFolder());
  events = [];
  here = await startSide('here');
  there = await startSide('there');
});
afterEach(() => owned.disposeAsync());

async function startSide(name: string): Promise<Side> {
  const registry = owned.use(
    await startRegistry({
      directory: join(folder.path, name),
      authorize(request, { repository }) {
        if (side.refuse) throw new Error('out of order');
        const { method = '' } = request;
        if (method === 'PUT' || method === 'DELETE') side.writes.push(`${method} ${repository}`);
        return 'allowed';
      },
    }),
  );
  const client = owned.use(createRegistryClient({ baseUrl: registry.url, attempts: 1 }));
  const side: Side = { client, url: registry.url, writes: [], refuse: false };
  return side;
}

function start(
  policies: readonly Partial<ReplicationPolicy>[] = [{}],
  remote: RegistryClient = there.client,
): Replicator {
  return owned.use(
    startReplicator({
      policies: policies.map((policy) => ({ ...everything, ...policy, remote })),
      local: here.client,
      directory: join(folder.path, 'backlog'),
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
      onEvent: (event) => void events.push(event),
    }),
  );
}

function outcomes(): readonly string[] {
  return events.map(
    ({ kind, outcome, repository, reference }) => `${kind} ${repository}:${reference} ${outcome}`,
  );
}

async function settled(replicator: Replicator): Promise<void> {
  await eventually('the backlog is empty', () =>
    replicator.status().every(({ waiting, running }) => waiting + running === 0),
  );
}

describe('replication', () => {
  test('follows a push with all of the image, mounts what is there, and sends nothing twice', async () => {
    const replicator = start([{ prefix: 'mirror/' }]);
    const image = await pushSampleImage(here.client, { repository: 'team/a', tag: 'v1' });
    replicator.changed({ kind: 'pushed', repository: 'team/a', reference: 'v1' });
    await settled(replicator);
    expect((await there.client.resolve('mirror/team/a', 'v1'))?.digest).toBe(image.index);
    const [signed] = image.manifests;
    if (signed === undefined) throw new Error('no manifest');
    const found = await there.client.referrers('mirror/team/a', signed);
    expect(found.map(({ digest }) => digest)).toEqual([image.signature]);
    const first = there.writes.length;
    await pushSampleImage(here.client, { repository: 'team/b', tag: 'v1' });
    replicator.changed({ kind: 'pushed', repository: 'team/b', reference: 'v1' });
    await settled(replicator);
    // Mounted, so that only manifests were put.
    expect(there.writes.slice(first)).toHaveLength(5);
    expect(events.at(-1)).toMatchObject({ outcome: 'done', uploadedBytes: 0 });
    const second = there.writes.length;
    replicator.changed({ kind: 'pushed', repository: 'team/b', reference: 'v1' });
    await settled(replicator);
    expect(there.writes.slice(second).filter((line) => line !== 'PUT mirror/team/b')).toEqual([]);
    expect(there.writes.length - second).toBeLessThanOrEqual(1);
  });

  test('a signature that comes later follows its image; one of nothing there does not', async () => {
    const replicator = start([{ tags: ['v*'] }]);
    const image = await pushSampleImage(here.client, { repository: 'a', tag: 'v1' });
    const other = await pushSampleImage(here.client, { repository: 'a', tag: 'dev', seed: 2 });
    replicator.changed({ kind: 'pushed', repository: 'a', reference: 'v1' });
    replicator.changed({ kind: 'pushed', repository: 'a', reference: 'dev' });
    await settled(replicator);
    const late = await pushSampleImage(here.client, { repository: 'a', tag: 'v1', seed: 1 });
    replicator.changed({ kind: 'pushed', repository: 'a', reference: late.signature });
    replicator.changed({ kind: 'pushed', repository: 'a', reference: other.signature });
    await settled(replicator);
    expect(outcomes().toSorted()).toEqual(
      [
        'copy a:v1 done',
        `referrer a:${image.signature} done`,
        `referrer a:${other.signature} skipped`,
      ].toSorted(),
    );
    expect(await there.client.tags('a')).toEqual(['v1']);
  });

  test('takes what its filters take: repositories, tags, platforms, labels', async () => {
    const replicator = start([
      {
        name: 'arm',
        repositories: ['team/**', '!team/secret'],
        tags: ['v*', '!*-rc*'],
        platforms: [parsePlatform('linux/arm64')],
        prefix: 'arm/',
      },
      { name: 'released', labels: { stage: 'released' }, prefix: 'released/' },
    ]);
    const push = async (repository: string, tag: string, labels = {}): Promise<void> => {
      await pushSampleImage(here.client, { repository, tag, labels });
      replicator.changed({ kind: 'pushed', repository, reference: tag });
    };
    await push('team/a', 'v1', { stage: 'released' });
    await push('team/a', 'v2-rc1');
    await push('team/secret', 'v1');
    await push('other', 'v1');
    await settled(replicator);
    expect(await there.client.tags('arm/team/a')).toEqual(['v1']);
    const { manifest } = await there.client.manifest('arm/team/a', 'v1');
    expect(
      manifest.kind === 'index' &&
        manifest.index.manifests.map(({ platform }) => platform?.architecture),
    ).toEqual(['arm64']);
    expect(await there.client.tags('released/team/a')).toEqual(['v1']);
    const absent = ['arm/team/secret', 'arm/other', 'released/other', 'released/team/secret'];
    for (const repository of absent) {
      expect(await there.client.resolve(repository, 'v1'), repository).toBeUndefined();
    }
  });

  test('a destination that is out of order is tried again until it is not', async () => {
    const replicator = start();
    const image = await pushSampleImage(here.client, { repository: 'a', tag: 'v1' });
    there.refuse = true;
    replicator.changed({ kind: 'pushed', repository: 'a', reference: 'v1' });
    await eventually('it has failed', () => outcomes().includes('copy a:v1 failed'));
    expect(replicator.status()[0]).toMatchObject({
      lastError: expect.stringContaining('500') as string,
    });
    there.refuse = false;
    await settled(replicator);
    expect(outcomes()).toEqual(['copy a:v1 failed', 'copy a:v1 done']);
    expect((await there.client.resolve('a', 'v1'))?.digest).toBe(image.index);
  });

  test('deletes what it copied where that is wanted, and nothing else', async () => {
    const replicator = start([{ deletion: true }, { name: 'kept', prefix: 'kept/' }]);
    await pushSampleImage(here.client, { repository: 'a', tag: 'v1' });
    await pushSampleImage(there.client, { repository: 'a', tag: 'own' });
    replicator.changed({ kind: 'pushed', repository: 'a', reference: 'v1' });
    await settled(replicator);
    expect(await there.client.tags('a')).toEqual(['own', 'v1']);
    for (const reference of ['v1', 'own']) {
      await here.client.deleteManifest('a', reference);
      replicator.changed({ kind: 'deleted', repository: 'a', reference });
    }
    await settled(replicator);
    expect(await there.client.tags('a')).toEqual(['own']);
    expect(await there.client.tags('kept/a')).toEqual(['v1']);
    // A digest takes its tags along.
    const image = await pushSampleImage(here.client, { repository: 'a', tag: 'v2', seed: 2 });
    replicator.changed({ kind: 'pushed', repository: 'a', reference: 'v2' });
    await settled(replicator);
    expect(await there.client.tags('a')).toEqual(['own', 'v2']);
    await here.client.deleteManifest('a', image.index);
    replicator.changed({ kind: 'deleted', repository: 'a', reference: image.index });
    await settled(replicator);
    expect(await there.client.tags('a')).toEqual(['own']);
  });

  test('pulls on a schedule, tags that went too, and a moved tag moves', async () => {
    await pushSampleImage(there.client, { repository: 'base/a', tag: 'v1' });
    await pushSampleImage(there.client, { repository: 'base/a', tag: 'v2' });
    const pull = {
      direction: 'pull',
      onPush: false,
      deletion: true,
      repositories: ['base/a'],
      everyMs: 300,
    } as const;
    const replicator = start([pull]);
    await eventually('both are here', async () => {
      return (
        (await here.client.resolve('base/a', 'v2')) !== undefined &&
        (await here.client.resolve('base/a', 'v1')) !== undefined
      );
    });
    const moved = await pushSampleImage(there.client, { repository: 'base/a', tag: 'v1', seed: 5 });
    await there.client.deleteManifest('base/a', 'v2');
    await eventually('it is as there', async () => {
      const v1 = await here.client.resolve('base/a', 'v1');
      return (
        v1?.digest === moved.index && (await here.client.resolve('base/a', 'v2')) === undefined
      );
    });
    expect(replicator.status()[0]?.lastRunMs).toBeDefined();
    await expect(replicator.runRound('none')).rejects.toMatchObject({ code: 'not_found' });
  });

  const noDebian = haveProgram('docker-registry') ? '' : ' (needs docker-registry)';
  test.skipIf(noDebian !== '')(`with Debian's docker-registry, both ways${noDebian}`, async () => {
    await using debian = await startDockerRegistry();
    await using client = createRegistryClient({ baseUrl: debian.url });
    const image = await pushSampleImage(here.client, { repository: 'team/a', tag: 'v1' });
    const replicator = start(
      [
        { name: 'push', deletion: true },
        { name: 'pull', direction: 'pull', onPush: false, prefix: 'back/' },
      ],
      client,
    );
    replicator.changed({ kind: 'pushed', repository: 'team/a', reference: 'v1' });
    await settled(replicator);
    const [signed] = image.manifests;
    if (signed === undefined) throw new Error('no manifest');
    expect((await client.tags('team/a')).toSorted()).toEqual([referrersTag(signed), 'v1']);
    expect(await replicator.runRound('pull')).toBe(1);
    await settled(replicator);
    const back = await here.client.referrers('back/team/a', signed);
    expect(back.map(({ digest }) => digest)).toEqual([image.signature]);
    expect((await here.client.tags('back/team/a')).filter(isReferrersTag)).toEqual([]);
    await here.client.deleteManifest('team/a', 'v1');
    replicator.changed({ kind: 'deleted', repository: 'team/a', reference: 'v1' });
    await settled(replicator);
    expect(await client.resolve('team/a', 'v1')).toBeUndefined();
  });

  test('a replicator killed with SIGKILL goes on where it was', async () => {
    const sample = { repository: 'a', tag: 'v1', layerBytes: 120_000 };
    const image = await pushSampleImage(here.client, sample);
    const child = join(import.meta.dirname, '../testing/replicator-child.ts');
    const backlog = join(folder.path, 'backlog');
    const running = spawn(process.execPath, [child, backlog, here.url, there.url, '150000']);
    owned.defer(() => void running.kill('SIGKILL'));
    const said = (text: string): Promise<void> =>
      new Promise((resolve) => {
        running.stdout.setEncoding('utf8').on('data', (line: string) => {
          if (line.includes(text)) resolve();
        });
      });
    await said('ready');
    running.stdin.write('a v1\n');
    await said('taken up a v1');
    await eventually('some blobs are there, and not all', async () => {
      const present = await Promise.all(image.blobs.map((blob) => there.client.hasBlob('a', blob)));
      return present.filter(Boolean).length >= 2;
    });
    running.kill('SIGKILL');
    await once(running, 'exit');
    expect(await there.client.resolve('a', 'v1')).toBeUndefined();
    const sent = there.writes.length;
    const replicator = start();
    await settled(replicator);
    expect((await there.client.resolve('a', 'v1'))?.digest).toBe(image.index);
    // Nothing that was there was sent again: blobs that were missing, and five manifests.
    expect(events.at(-1)?.uploadedBytes).toBeLessThan(image.bytes);
    expect(there.writes.length - sent).toBeLessThanOrEqual(image.blobs.length - 2 + 5);
  });
});
