import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest } from '@tapline/oci';
import { createRegistryClient, pushImage, startRegistry } from '@tapline/registry';
import { haveProgram, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type BottleMirror,
  startBottleMirror,
} from '../../../tools/bottle-mirror/bottle-mirror.ts';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { amd64, arm64, openTestBuilder, type TestBuilder } from './testing/open-test-builder.ts';
import type { BuildEvent } from './build-event.ts';
import type { BuiltImage, BuiltPlatform } from './built-image.ts';
import { writeOciLayout } from './write-oci-layout.ts';

const prefix = '/home/linuxbrew/.linuxbrew';
const unavailable = await debianUnavailable();

function lacking(...programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => !haveProgram(program));
  return missing.length === 0 ? undefined : `(skipped: no ${missing.join(', ')})`;
}

describe.skipIf(unavailable !== undefined)(`images of real bottles ${unavailable ?? ''}`, () => {
  let mirror: BottleMirror;
  let folder: TemporaryFolder;
  let opened: TestBuilder;
  let jq: BuiltImage;
  const events: BuildEvent[] = [];

  beforeAll(async () => {
    mirror = await startBottleMirror();
    folder = await temporaryFolder();
    opened = await openTestBuilder(folder.path, mirror.environment);
    jq = await opened.builder.build({
      formula: 'jq',
      platforms: [amd64, arm64],
      onEvent: (event) => events.push(event),
    });
  }, 300_000);

  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
    await mirror?.[Symbol.asyncDispose]();
  });

  function imageFor(architecture: string, image: BuiltImage = jq): BuiltPlatform {
    const found = image.images.find(({ platform }) => platform.architecture === architecture);
    if (found === undefined) throw new RangeError(`no image for ${architecture}`);
    return found;
  }

  test('an image has a layer per formula, dependencies first, and one of links', () => {
    for (const image of jq.images) {
      expect(image.layers.map((layer) => layer.formula)).toEqual([
        'glibc',
        'oniguruma',
        'jq',
        undefined,
      ]);
      expect(image.mainCommand).toBe(`${prefix}/bin/jq`);
      const total = image.layers.reduce((sum, layer) => sum + layer.unpackedSize, 0);
      expect(image.unpackedSize).toBe(total);
    }
    expect(jq.images.map(({ platform }) => platform.architecture).toSorted()).toEqual([
      'amd64',
      'arm64',
    ]);
    expect(jq.packageVersion).toBe(imageFor('amd64').layers[2]?.version);
  });

  test('events say what was planned, fetched and built', () => {
    const planned = events.filter((event) => event.kind === 'planned');
    expect(planned).toHaveLength(2);
    expect(planned[0]?.formulae).toEqual(['glibc', 'oniguruma', 'jq']);
    expect(planned[0]?.downloadBytes).toBeGreaterThan(1_000_000);
    expect(events.filter((event) => event.kind === 'fetched')).toHaveLength(6);
    expect(events.filter((event) => event.kind === 'layer')).toHaveLength(6);
    expect(events.filter((event) => event.kind === 'not-relocated')).toEqual([]);
    expect(jq.timings.totalMs).toBeGreaterThan(jq.timings.layersMs);
  });

  test('building elsewhere gives the same digests', async () => {
    await using other = await temporaryFolder();
    await using elsewhere = await openTestBuilder(other.path, mirror.environment);
    const again = await elsewhere.builder.build({ formula: 'jq', platforms: [arm64, amd64] });
    expect(again.index).toEqual(jq.index);
    expect(again.images.map((image) => image.layers)).toEqual(
      jq.images.map((image) => image.layers),
    );
  }, 60_000);

  test('a second build fetches nothing, and another package shares the layers', async () => {
    const later: BuildEvent[] = [];
    const onEvent = (event: BuildEvent): void => void later.push(event);
    const again = await opened.builder.build({ formula: 'jq', platforms: [amd64], onEvent });
    expect(imageFor('amd64', again).manifest).toEqual(imageFor('amd64').manifest);
    expect(later.some((event) => event.kind === 'fetched')).toBe(false);
    const sources = later.flatMap((event) => (event.kind === 'layer' ? [event.source] : []));
    expect(sources).toEqual(['cached', 'cached', 'cached']);
    const onig = await opened.builder.build({ formula: 'oniguruma', platforms: [amd64] });
    expect(imageFor('amd64', onig).layers.slice(0, 2)).toEqual(
      imageFor('amd64').layers.slice(0, 2),
    );
  });

  test('a version that is not the current one is found by its tag', async () => {
    const older = await opened.builder.build({
      formula: 'jq',
      version: '1.7.1',
      platforms: [amd64],
    });
    expect(older.packageVersion).toBe('1.7.1');
    const layers = imageFor('amd64', older).layers.map(({ formula }) => formula);
    expect(layers).toEqual(['glibc', 'oniguruma', 'jq', undefined]);
    const named = await opened.builder.build({ formula: 'jq@1.7.1', platforms: [amd64] });
    expect(named.index).toEqual(older.index);
  }, 120_000);

  test('a versioned formula and an alias lead to the same package', async () => {
    const byName = await opened.builder.build({ formula: 'openssl@3', platforms: [amd64] });
    const byAlias = await opened.builder.build({ formula: 'openssl', platforms: [amd64] });
    expect(byAlias.index).toEqual(byName.index);
    expect(byName.formula).toBe('openssl@3');
  }, 120_000);

  test('what the registry serves is what the store has', async () => {
    await using home = await temporaryFolder();
    await using registry = await startRegistry({
      directory: home.path,
      authorize: () => 'allowed',
    });
    await using client = createRegistryClient({ baseUrl: registry.url });
    const pushed = await pushImage(client, opened.store, {
      repository: 'packages/jq',
      digest: jq.index.digest,
      tag: jq.packageVersion,
    });
    expect(pushed.digest).toBe(jq.index.digest);
    const fetched = await client.manifest('packages/jq', jq.packageVersion);
    expect(fetched.digest).toBe(jq.index.digest);
  });

  const noSkopeo = lacking('skopeo');
  test.skipIf(noSkopeo !== undefined)(
    `skopeo copies all of the layout ${noSkopeo ?? ''}`,
    async () => {
      await using place = await temporaryFolder();
      const layout = join(place.path, 'layout');
      await writeOciLayout(opened.store, jq, { directory: layout });
      const copy = join(place.path, 'copy');
      execFileSync('skopeo', [
        'copy',
        '-q',
        '--all',
        '--preserve-digests',
        `oci:${layout}`,
        `oci:${copy}:x`,
      ]);
      const index = parseManifest(await readFile(join(copy, 'index.json')));
      expect(index.kind === 'index' && index.index.manifests[0]?.digest).toBe(jq.index.digest);
    },
  );

  async function unpack(architecture: string, image: BuiltImage, into: string): Promise<string> {
    const layout = join(into, 'layout');
    await writeOciLayout(opened.store, image, { directory: layout });
    execFileSync('skopeo', [
      'copy',
      '-q',
      `--override-arch=${architecture}`,
      `oci:${layout}`,
      `oci:${into}/one:x`,
    ]);
    execFileSync('umoci', ['unpack', `--image=${into}/one:x`, join(into, 'bundle')], {
      stdio: 'ignore',
    });
    return join(into, 'bundle', 'rootfs');
  }

  const noChroot =
    lacking('skopeo', 'umoci', 'chroot') ??
    (process.getuid?.() === 0 ? undefined : '(skipped: chroot needs root)');
  const onAmd64 = process.arch === 'x64' ? noChroot : '(skipped: not an amd64 machine)';
  test.skipIf(onAmd64 !== undefined)(`jq runs in the amd64 image ${onAmd64 ?? ''}`, async () => {
    await using place = await temporaryFolder();
    const root = await unpack('amd64', jq, place.path);
    const answer = execFileSync(
      'chroot',
      ['--userspec=65532:65532', root, `${prefix}/bin/jq`, '.a | add'],
      {
        input: '{"a":[1,2]}',
        encoding: 'utf8',
      },
    );
    expect(answer.trim()).toBe('3');
  });

  test.skipIf(onAmd64 !== undefined)(
    `curl runs with the libraries of its many dependencies ${onAmd64 ?? ''}`,
    async () => {
      await using place = await temporaryFolder();
      const curl = await opened.builder.build({ formula: 'curl', platforms: [amd64] });
      const root = await unpack('amd64', curl, place.path);
      const main = imageFor('amd64', curl).mainCommand ?? '';
      const version = execFileSync('chroot', [root, main, '--version'], { encoding: 'utf8' });
      expect(version).toContain(`curl ${curl.packageVersion}`);
    },
    120_000,
  );

  const onArm64 = noChroot ?? lacking('qemu-aarch64-static');
  test.skipIf(onArm64 !== undefined)(`jq runs in the arm64 image ${onArm64 ?? ''}`, async () => {
    await using place = await temporaryFolder();
    const root = await unpack('arm64', jq, place.path);
    const program = execFileSync('sh', ['-c', 'command -v qemu-aarch64-static'], {
      encoding: 'utf8',
    });
    await mkdir(join(root, 'qemu'));
    await cp(program.trim(), join(root, 'qemu/qemu'));
    const answer = execFileSync(
      'chroot',
      [root, '/qemu/qemu', `${prefix}/bin/jq`, '-c', '[.a[] * 2]'],
      {
        input: '{"a":[1,2]}',
        encoding: 'utf8',
      },
    );
    expect(answer.trim()).toBe('[2,4]');
  });
});
