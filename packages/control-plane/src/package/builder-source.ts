import { type Clock, isTaplineError, TaplineError } from '@tapline/base';
import { bottleTagOf } from '@tapline/brew';
import {
  attachReferrers,
  type BuiltImage,
  type BuiltPlatform,
  type ImageBuilder,
} from '@tapline/builder';
import { parsePlatform } from '@tapline/oci';
import type { BlobStore, RegistryServer } from '@tapline/registry';
import { formulaObjectName, type PackageImage } from '@tapline/resources';
import type { ImageSigner } from '@tapline/signatures';
import { statusError } from './package-failure.ts';
import type { BuiltPackage, PackageSource } from './package-source.ts';

type BuildRequest = Parameters<PackageSource['build']>[0];
type Failure = BuiltPackage['failures'][number];

/** Codes that concern one platform: the others can be built all the same. */
const platformCodes = ['bottle_missing', 'platform_unsupported', 'version_differs'];

/** Packages built from Homebrew's bottles into the store of the embedded registry. */
export function createBuilderSource(init: {
  readonly builder: Pick<ImageBuilder, 'build'>;
  readonly registry: Pick<RegistryServer, 'link'>;
  /** Where the builder writes to, and the registry serves from. */
  readonly blobs: BlobStore;
  readonly signer: ImageSigner;
  readonly clock: Clock;
}): PackageSource {
  const { blobs, builder, clock, registry, signer } = init;
  return {
    async build(request) {
      const { built, failures } = await buildWhatCanBe(builder, request);
      request.onStage?.('built');
      const repository = formulaObjectName(request.formula);
      const startMs = clock.monotonic();
      const tag = tagOf(built.packageVersion);
      const attached = await attachReferrers(blobs, built, {
        reference: repository,
        signer,
        sbom: true,
        provenance: true,
        fileIndex: true,
      });
      const referrers = attached.map(({ manifest, tag: name }) => ({
        digest: manifest.digest,
        ...(name !== undefined && { tag: name }),
      }));
      await registry.link({ repository, digest: built.index.digest, tag, referrers });
      request.onStage?.('published');
      const { planMs, totalMs } = built.timings;
      return {
        version: built.packageVersion,
        repository,
        digest: built.index.digest,
        images: imagesOf(built, request.platforms),
        failures,
        stages: {
          resolved: planMs / 1000,
          built: Math.max(0, totalMs - planMs) / 1000,
          published: (clock.monotonic() - startMs) / 1000,
        },
      };
    },
  };
}

/** Builds for all platforms, or for those that can be built where one of them cannot. */
async function buildWhatCanBe(
  builder: Pick<ImageBuilder, 'build'>,
  request: BuildRequest,
): Promise<{ readonly built: BuiltImage; readonly failures: readonly Failure[] }> {
  try {
    return { built: await buildFor(builder, request, request.platforms), failures: [] };
  } catch (error) {
    if (request.platforms.length === 1 || !concernsPlatform(error)) throw error;
  }
  const failures: Failure[] = [];
  const possible: { readonly platform: string; readonly version: string }[] = [];
  let first: unknown;
  for (const platform of request.platforms) {
    try {
      const built = await buildFor(builder, request, [platform]);
      possible.push({ platform, version: built.packageVersion });
    } catch (error) {
      if (!concernsPlatform(error)) throw error;
      first ??= error;
      failures.push({ platform, error: statusError(error) });
    }
  }
  const version = possible[0]?.version;
  if (version === undefined) throw first;
  for (const other of possible.filter((candidate) => candidate.version !== version)) {
    const message = `Homebrew has ${other.version} for ${other.platform}, and ${version} for others`;
    failures.push({ platform: other.platform, error: { code: 'version_differs', message } });
  }
  const same = possible.filter((candidate) => candidate.version === version);
  // Everything is cached by now: this only puts the index together.
  const platforms = same.map(({ platform }) => platform);
  return { built: await buildFor(builder, request, platforms), failures };
}

function concernsPlatform(error: unknown): boolean {
  return platformCodes.some((code) => isTaplineError(error, code));
}

async function buildFor(
  builder: Pick<ImageBuilder, 'build'>,
  { formula, version, signal, onStage }: BuildRequest,
  platforms: readonly string[],
): Promise<BuiltImage> {
  return await builder.build({
    formula,
    ...(version === undefined ? {} : { version }),
    platforms: platforms.map(parsePlatform),
    signal,
    onEvent: ({ kind }) => {
      if (kind === 'planned') onStage?.('resolved');
    },
  });
}

function imagesOf(built: BuiltImage, platforms: readonly string[]): PackageImage[] {
  return platforms.flatMap((platform) => {
    const tag = bottleTagOf(parsePlatform(platform));
    const image = built.images.find((candidate) => candidate.tag === tag);
    return image === undefined ? [] : [imageOf(platform, image)];
  });
}

function imageOf(platform: string, image: BuiltPlatform): PackageImage {
  const { layers, manifest, mainCommand, unpackedSize } = image;
  return {
    platform,
    digest: manifest.digest,
    sizeBytes: layers.reduce((sum, { size }) => sum + size, 0),
    unpackedBytes: unpackedSize,
    layers: layers.length,
    ...(mainCommand === undefined ? {} : { main: mainCommand }),
  };
}

/** OCI distribution 1.1: tags have letters, digits, `_`, `.` and `-`, at most 128. */
function tagOf(version: string): string {
  const tag = version.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 128);
  if (tag === '') throw new TaplineError('internal', `version ${version} gives no tag`);
  return tag;
}
