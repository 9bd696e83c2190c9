import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadKubeconfig } from '@tapline/client';
import { createRegistryClient, type RegistryClient } from '@tapline/registry';
import {
  type DockerRegistry,
  eventually,
  haveProgram,
  startDockerRegistry,
  temporaryFolder,
  type TemporaryFolder,
} from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from '../support/control-plane-process.ts';
import { type CommandResult, runTapline } from '../support/run-tapline.ts';
import { pushSmallImage } from '../support/small-image.ts';

const reason = haveProgram('docker-registry') ? '' : ' (needs docker-registry)';

describe.skipIf(reason !== '')(`a control plane between two registries${reason}`, () => {
  let folder: TemporaryFolder;
  let origin: DockerRegistry;
  let site: DockerRegistry;
  let plane: ControlPlaneProcess;
  let owned: AsyncDisposableStack;
  let own: RegistryClient;
  let there: RegistryClient;
  let digest: string;

  beforeAll(async () => {
    owned = new AsyncDisposableStack();
    folder = owned.use(await temporaryFolder());
    origin = owned.use(await startDockerRegistry());
    site = owned.use(await startDockerRegistry());
    await using source = createRegistryClient({ baseUrl: origin.url });
    there = owned.use(createRegistryClient({ baseUrl: site.url }));
    digest = await pushSmallImage(source, { repository: 'library/tool', tag: 'v1' });
    const configuration = join(folder.path, 'registry.yaml');
    await writeFile(
      configuration,
      `
mirrors:
  - { prefix: origin, url: ${origin.url}, tagTtl: 1h }
replication:
  - { name: to-site, direction: push, url: ${site.url}, repositories: [team/**], prefix: copies }
`,
    );
    plane = owned.use(
      await startControlPlaneProcess(folder.path, {
        HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
        TAPLINE_REGISTRY_CONFIG: configuration,
        XDG_CONFIG_HOME: join(folder.path, 'config'),
      }),
    );
    const { ca = '', credentials } = await loadKubeconfig(plane.kubeconfig);
    if (credentials.kind !== 'certificate') throw new Error('no certificate');
    const tls = { ca, cert: credentials.certificate, key: credentials.key };
    own = owned.use(createRegistryClient({ baseUrl: plane.url, tls }));
  });
  afterAll(() => owned.disposeAsync());

  function registry(...words: readonly string[]): Promise<CommandResult> {
    return runTapline(['registry', ...words], {
      env: { TAPLINE_KUBECONFIG: plane.kubeconfig, XDG_CONFIG_HOME: join(folder.path, 'config') },
    });
  }

  test('copies from another, looks at what came, and copies it into a folder', async () => {
    const copied = await registry('copy', `${origin.host}/library/tool:v1`, 'team/tool:v1');
    expect(copied).toMatchObject({
      code: 0,
      out: expect.stringContaining(`${digest}\n`) as string,
    });
    expect(copied.out).toMatch(/sent in 2 blobs, 0 mounted, 0 there already/);
    const tags = await registry('tags', 'team/tool', '-o', 'json');
    expect(JSON.parse(tags.out)).toEqual([{ tag: 'v1', digest }]);
    const listed = await registry('ls');
    expect(listed.out).toMatch(/REPOSITORY +TAGS +MANIFESTS +SIZE\nteam\/tool +1 +1 /);
    expect((await registry('ls', origin.host)).out).toBe('library/tool\n');
    const shown = await registry('inspect', 'team/tool:v1');
    expect(shown.out).toMatch(/^sha256:[0-9a-f]{64}\n.*\nconfig sha256:/);
    const layout = `oci:${join(folder.path, 'layout')}:v1`;
    expect(await registry('copy', 'team/tool:v1', layout)).toMatchObject({ code: 0 });
    const inspected = await registry('inspect', layout, '-o', 'json');
    expect(JSON.parse(inspected.out)).toMatchObject({ digest, referrers: [] });
  });

  test('replicates what is pushed, and shows that', async () => {
    await pushSmallImage(own, { repository: 'team/other', tag: 'v2' });
    await pushSmallImage(own, { repository: 'private', tag: 'v1' });
    await eventually('the push of the copy was followed', async () => {
      return (await there.resolve('copies/team/tool', 'v1')) !== undefined;
    });
    const run = await registry('replicate', 'to-site', '--wait', '--timeout', '30s');
    expect(run).toMatchObject({ code: 0, out: '2 tags of to-site are up to date\n' });
    expect((await there.resolve('copies/team/tool', 'v1'))?.digest).toBe(digest);
    expect(await there.resolve('copies/team/other', 'v2')).toBeDefined();
    expect(await there.resolve('copies/private', 'v1')).toBeUndefined();
    const status = JSON.parse((await registry('replicate', '-o', 'json')).out) as unknown;
    expect(status).toMatchObject([{ name: 'to-site', done: 2, waiting: 0, active: [] }]);
    expect(await registry('replicate', 'nobody')).toMatchObject({
      code: 3,
      err: expect.stringContaining('[not_found]') as string,
    });
    const audit = await readFile(join(plane.data, 'audit', 'audit.jsonl'), 'utf8');
    expect(audit).toContain('"name":"to-site team/tool:v1"');
  });

  test('mirrors the other, also when it has gone', async () => {
    expect((await own.resolve('origin/library/tool', 'v1'))?.digest).toBe(digest);
    const layout = join(folder.path, 'mirrored');
    expect(await registry('copy', 'origin/library/tool:v1', `oci:${layout}:v1`)).toMatchObject({
      code: 0,
    });
    await origin[Symbol.asyncDispose]();
    const again = join(folder.path, 'mirrored-again');
    expect(await registry('copy', 'origin/library/tool:v1', `oci:${again}:v1`)).toMatchObject({
      code: 0,
    });
    const gone = await registry('copy', `${origin.host}/library/tool:v1`, `oci:${again}:v2`);
    expect(gone).toMatchObject({
      code: 6,
      err: expect.stringContaining('[registry_unreachable]') as string,
    });
  });

  test('collects garbage and scrubs', async () => {
    expect((await registry('gc', '--dry-run')).out).toMatch(/^would remove \d+ blobs/);
    const collected = JSON.parse((await registry('gc', '--untagged', '-o', 'json')).out) as unknown;
    expect(collected).toMatchObject({ dryRun: false });
    const scrubbed = await registry('scrub');
    expect(scrubbed).toMatchObject({ code: 0 });
    expect(scrubbed.out).toMatch(/\d+ blobs, .* read in .*: 0 damaged, 0 missing, 0 repaired\n$/);
  });

  test('says what is wrong with what it is given', async () => {
    const cases = [
      [['tags', 'team/tool:v1'], 2, 'usage'],
      [['inspect', 'team/none:v1'], 3, 'manifest_unknown'],
      [['inspect', 'a//b'], 2, 'usage|reference_invalid'],
      [['copy', 'team/tool:v1', 'oci:'], 2, 'usage'],
      [['copy', 'oci:/nowhere', 'team/x'], 3, 'layout_unknown'],
      [['copy', 'team/tool:v1', 'team/x', '--limit-rate', 'fast'], 2, 'usage'],
      [['replicate', '--wait'], 2, 'usage'],
    ] as const;
    for (const [words, code, errorCode] of cases) {
      const result = await registry(...words);
      expect({ words, code: result.code, err: result.err }).toMatchObject({
        words,
        code,
        err: expect.stringMatching(new RegExp(`\\[(${errorCode})\\]`)) as string,
      });
    }
  });
});
