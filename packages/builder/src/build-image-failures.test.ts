import { systemClock } from '@tapline/base';
import { temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { startBottleMirror } from '../../../tools/bottle-mirror/bottle-mirror.ts';
import type { Fault } from '../../../tools/bottle-mirror/fault.ts';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { amd64, arm64, openTestBuilder, type TestBuilder } from './testing/open-test-builder.ts';
import { startTestServer } from './testing/start-test-server.ts';
import type { ImageBuilderInit } from './create-image-builder.ts';

const unavailable = await debianUnavailable();

interface JqBuilder extends AsyncDisposable {
  readonly opened: TestBuilder;
}

/** A builder over a mirror of jq for amd64 that misbehaves as told. */
async function openJqBuilder(
  faults: readonly Fault[],
  options: Partial<ImageBuilderInit> = {},
): Promise<JqBuilder> {
  const stack = new AsyncDisposableStack();
  const mirror = stack.use(
    await startBottleMirror({ formulae: ['jq'], platforms: ['x86_64_linux'], faults }),
  );
  const { path } = stack.use(await temporaryFolder());
  const opened = stack.use(await openTestBuilder(path, mirror.environment, options));
  return { opened, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

interface Trial {
  readonly formula?: string;
  readonly version?: string;
  readonly platform?: typeof amd64 | typeof arm64;
  readonly faults?: readonly Fault[];
  readonly options?: Partial<ImageBuilderInit>;
}

async function failure(trial: Trial): Promise<unknown> {
  const { formula = 'jq', version, platform = amd64, faults = [], options } = trial;
  await using jq = await openJqBuilder(faults, options);
  const request = { formula, platforms: [platform], ...(version !== undefined && { version }) };
  const error: unknown = await jq.opened.builder.build(request).then(
    () => new Error('the build succeeded'),
    (reason: unknown) => reason,
  );
  return error;
}

describe.skipIf(unavailable !== undefined)(`builds that fail ${unavailable ?? ''}`, () => {
  test('an unknown formula, with the name that may be meant', async () => {
    expect(await failure({ formula: 'jqq' })).toMatchObject({
      code: 'formula_not_found',
      hint: 'did you mean jq?',
    });
  }, 120_000);

  test('an unknown version, with those there are', async () => {
    expect(await failure({ version: '9.9' })).toMatchObject({
      code: 'version_not_found',
      message: expect.stringMatching(/jq has no version 9\.9; there is 1\.6/),
    });
  });

  test('no bottle for the platform, with those there are', async () => {
    const faults: Fault[] = [{ kind: 'no-bottle', formula: 'oniguruma', platform: 'x86_64_linux' }];
    expect(await failure({ faults })).toMatchObject({
      code: 'bottle_missing',
      message: expect.stringMatching(/oniguruma has no bottle for linux\/amd64, needed by jq/),
    });
    expect(await failure({ platform: arm64 })).toMatchObject({
      code: 'bottle_missing',
      details: { platform: 'linux/arm64', platforms: ['linux/amd64'] },
    });
  });

  test('a cycle, with its path', async () => {
    const faults: Fault[] = [{ kind: 'extra-dependency', formula: 'oniguruma', dependency: 'jq' }];
    expect(await failure({ faults })).toMatchObject({
      code: 'cyclic_dependency',
      message: expect.stringContaining('jq → oniguruma → jq'),
    });
  });

  test('bytes that are not the published ones, with both digests', async () => {
    const faults: Fault[] = [{ kind: 'wrong-bytes', formula: 'jq' }];
    expect(await failure({ faults })).toMatchObject({
      code: 'digest_mismatch',
      details: {
        expected: expect.stringMatching(/^sha256:/),
        actual: expect.stringMatching(/^sha256:/),
      },
    });
  });

  test('a bottle that ends early each time', async () => {
    const faults: Fault[] = [{ kind: 'truncated', formula: 'jq', bytes: 1000 }];
    expect(await failure({ faults })).toMatchObject({
      code: 'bottle_truncated',
      details: { formula: 'jq' },
    });
  });

  test('a mirror that falls silent is left, and continued where it stopped', async () => {
    const faults: Fault[] = [{ kind: 'stall', formula: 'jq', bytes: 200_000 }];
    await using jq = await openJqBuilder(faults, { timeoutMs: 1000, clock: systemClock });
    const built = await jq.opened.builder.build({ formula: 'jq', platforms: [amd64] });
    expect(built.images).toHaveLength(1);
  });

  test.each(['path-traversal', 'device-node', 'symlink-escape'] as const)(
    'a bottle with %s is refused',
    async (entry) => {
      const faults: Fault[] = [{ kind: 'hostile-entry', formula: 'jq', entry }];
      expect(await failure({ faults })).toMatchObject({ code: 'unsafe_tar_entry' });
    },
  );

  test('a bottle that promises more than it holds is corrupt', async () => {
    const faults: Fault[] = [{ kind: 'hostile-entry', formula: 'jq', entry: 'huge-size' }];
    expect(await failure({ faults })).toMatchObject({ code: 'bottle_corrupt' });
  });

  test('more than the disk holds is refused before a byte is fetched', async () => {
    const freeBytes = (): Promise<number> => Promise.resolve(1_000_000);
    const faults: Fault[] = [{ kind: 'server-error', formula: 'jq', status: 500, times: 100 }];
    expect(await failure({ faults, options: { freeBytes } })).toMatchObject({
      code: 'insufficient_storage',
      details: { availableBytes: 1_000_000, neededBytes: expect.any(Number) },
    });
  });

  test('a mirror that fails for a while is waited for', async () => {
    const faults: Fault[] = [{ kind: 'server-error', formula: 'jq', status: 503, times: 2 }];
    await using jq = await openJqBuilder(faults);
    const built = await jq.opened.builder.build({ formula: 'jq', platforms: [amd64] });
    expect(built.images).toHaveLength(1);
  });

  test('an abort ends the build with its reason', async () => {
    await using jq = await openJqBuilder([]);
    const abort = new AbortController();
    const build = jq.opened.builder.build({
      formula: 'jq',
      platforms: [amd64],
      signal: abort.signal,
      onEvent: () => abort.abort(new Error('no longer wanted')),
    });
    await expect(build).rejects.toThrow('no longer wanted');
  });
});

test('an API that stays down is named, with how to use another', async () => {
  await using server = await startTestServer((_, response) => response.writeHead(502).end());
  const environment = {
    HOMEBREW_API_DOMAIN: `${server.url}/api`,
    HOMEBREW_ARTIFACT_DOMAIN: server.url,
  };
  await using folder = await temporaryFolder();
  await using opened = await openTestBuilder(folder.path, environment);
  await expect(opened.builder.build({ formula: 'jq', platforms: [amd64] })).rejects.toMatchObject({
    code: 'homebrew_unreachable',
    hint: expect.stringContaining('HOMEBREW_API_DOMAIN'),
  });
});

test('a platform that no bottle is for is refused before anything is asked', async () => {
  await using server = await startTestServer((_, response) => response.end());
  const environment = { HOMEBREW_API_DOMAIN: server.url, HOMEBREW_ARTIFACT_DOMAIN: server.url };
  await using folder = await temporaryFolder();
  await using opened = await openTestBuilder(folder.path, environment);
  const platforms = [{ os: 'linux', architecture: 'riscv64' }];
  await expect(opened.builder.build({ formula: 'jq', platforms })).rejects.toMatchObject({
    code: 'platform_unsupported',
  });
  expect(server.requests).toEqual([]);
});
