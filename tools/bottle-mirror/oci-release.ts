import { createHash } from 'node:crypto';

import type { Bottle } from './bottle.ts';
import { bottleTab, type RuntimeDependency } from './bottle-tab.ts';
import { debianReleases } from './debian-release.ts';
import { platforms } from './platform.ts';
import { repositoryName } from './repository-name.ts';

/** A bottle with the dependencies its tab names. */
export interface ReleasedBottle {
  readonly bottle: Bottle;
  readonly runtimeDependencies: readonly RuntimeDependency[];
}

/** One version of a formula as the registry holds it. Keys are digests (`sha256:…`). */
export interface OciRelease {
  readonly tag: string;
  readonly index: string;
  readonly documents: ReadonlyMap<string, OciDocument>;
  readonly layers: ReadonlyMap<string, Bottle>;
}

export interface OciDocument {
  readonly mediaType: string;
  readonly body: Buffer;
}

export interface ReleaseDescription {
  readonly formula: string;
  readonly description: string;
  readonly license: string;
  readonly homepage: string;
}

const mediaType = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** Writes the documents that brew's `pr-upload` would push for these bottles (github_packages.rb). */
export function ociRelease(
  about: ReleaseDescription,
  bottles: readonly ReleasedBottle[],
): OciRelease {
  const documents = new Map<string, OciDocument>();
  function add(type: string, value: unknown): { digest: string; size: number } {
    const body = Buffer.from(JSON.stringify(value));
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    documents.set(digest, { mediaType: type, body });
    return { digest, size: body.length };
  }

  const first = bottles[0]?.bottle;
  const tag = first?.registryTag ?? '';
  const shared = {
    'com.github.package.type': 'homebrew_bottle',
    'org.opencontainers.image.description': about.description,
    'org.opencontainers.image.documentation': `https://formulae.brew.sh/formula/${about.formula}`,
    'org.opencontainers.image.license': about.license,
    'org.opencontainers.image.title': `homebrew/core/${repositoryName(about.formula)}`,
    'org.opencontainers.image.url': about.homepage,
    'org.opencontainers.image.vendor': 'homebrew',
    'org.opencontainers.image.version': first?.pkgVersion ?? '',
  };
  const children = bottles.map(({ bottle, runtimeDependencies }) => {
    const machine = platforms[bottle.platform];
    const platform = {
      architecture: machine.ociArch,
      os: 'linux',
      'os.version': debianReleases[bottle.suite].osVersion,
    };
    const own = {
      'org.opencontainers.image.ref.name': platformTag(bottle),
      'sh.brew.bottle.digest': bottle.sha256,
      'sh.brew.bottle.size': String(bottle.sizeBytes),
      'sh.brew.bottle.installed_size': String(bottle.installedBytes),
      'sh.brew.bottle.glibc.version': bottle.glibcVersion,
      'sh.brew.bottle.cpu.variant': machine.ociArch === 'arm64' ? 'armv8' : 'core2',
      'sh.brew.license': about.license,
      'sh.brew.path_exec_files': bottle.pathExecFiles.join(','),
      'sh.brew.tab': JSON.stringify(bottleTab(bottle, runtimeDependencies)),
    };
    const config = add(mediaType.config, {
      ...(bottle.tag === 'all' ? {} : platform),
      rootfs: { type: 'layers', diff_ids: [`sha256:${bottle.tarSha256}`] },
    });
    const manifest = add(mediaType.manifest, {
      schemaVersion: 2,
      mediaType: mediaType.manifest,
      config: { mediaType: mediaType.config, ...config },
      layers: [
        {
          mediaType: mediaType.layer,
          digest: `sha256:${bottle.sha256}`,
          size: bottle.sizeBytes,
          annotations: { 'org.opencontainers.image.title': localFileName(bottle) },
        },
      ],
      annotations: { ...shared, ...own },
    });
    return {
      mediaType: mediaType.manifest,
      ...manifest,
      // A bottle for all platforms names none; clients match it by its ref.name.
      ...(bottle.tag !== 'all' && { platform }),
      annotations: own,
    };
  });
  const index = add(mediaType.index, {
    schemaVersion: 2,
    mediaType: mediaType.index,
    manifests: children,
    annotations: { ...shared, 'org.opencontainers.image.ref.name': tag },
  });
  const layers = new Map(bottles.map(({ bottle }) => [`sha256:${bottle.sha256}`, bottle]));
  return { tag, index: index.digest, documents, layers };
}

function rebuildOf(bottle: Bottle): string {
  return bottle.registryTag.slice(bottle.pkgVersion.length + 1);
}

/** `1.6.x86_64_linux`, with a rebuild `6.9.8.x86_64_linux.1` (GitHubPackages.version_rebuild). */
function platformTag(bottle: Bottle): string {
  const rebuild = rebuildOf(bottle);
  return `${bottle.pkgVersion}.${bottle.tag}${rebuild === '' ? '' : `.${rebuild}`}`;
}

/** The name of the file in brew's cache. */
export function localFileName(bottle: Bottle, separator = '--'): string {
  const rebuild = rebuildOf(bottle);
  const suffix = `.bottle${rebuild === '' ? '' : `.${rebuild}`}.tar.gz`;
  return `${bottle.formula}${separator}${bottle.pkgVersion}.${bottle.tag}${suffix}`;
}
