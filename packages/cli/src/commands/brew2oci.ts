import { formatBytes, formatDuration, TaplineError } from '@tapline/base';
import type { BuiltImage, ImageBuilder } from '@tapline/builder';
import { formatPlatform, parsePlatform } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import type { Referrer } from '@tapline/signatures';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describePlan } from '../build/describe-plan.ts';
import { createBuildProgress } from '../build/build-progress.ts';
import { type ImageTarget, parseImageTarget } from '../build/image-target.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, listFlag, textFlag, textFlagWithDefault } from '../framework/flag.ts';
import { formatTable } from '../output/format-table.ts';

export const brew2oci: Command = defineCommand({
  summary: 'Build a Homebrew formula into an OCI image, one layer a formula',
  description:
    'Reads HOMEBREW_API_DOMAIN, HOMEBREW_BOTTLE_DOMAIN and HOMEBREW_ARTIFACT_DOMAIN as brew does. What the API says has to be signed by Homebrew, or by the key of --homebrew-key. The same formula gives the same digests, wherever it is built.',
  examples: [
    {
      command: 'tapline brew2oci jq --platform linux/amd64,linux/arm64 --output ./jq',
      explains: 'an OCI layout, for skopeo, podman or umoci',
    },
    {
      command: 'tapline brew2oci jq --plan',
      explains: 'what would be reused, built and fetched, in bytes',
    },
    {
      command: 'tapline brew2oci jq@1.7.1 --output oci://127.0.0.1:5000/tools/jq:1.7.1',
      explains: 'straight into a registry',
    },
  ],
  positionals: [{ name: 'FORMULA[@VERSION]', description: 'what to build', required: true }],
  flags: {
    platform: listFlag('What to build for; absent linux/amd64 and linux/arm64', {
      valueName: 'OS/ARCH',
    }),
    output: textFlag('A folder for an OCI layout, or oci://REGISTRY/REPOSITORY:TAG', {
      short: 'O',
      valueName: 'TARGET',
    }),
    plan: booleanFlag('Say what would be reused, built and fetched, and do none of it'),
    compression: textFlagWithDefault('How layers are compressed; everything reads gzip', {
      choices: ['gzip', 'zstd'],
      default: 'gzip',
    }),
    signKey: textFlag('A private key (P-256, PEM) to sign the image with, as cosign does', {
      valueName: 'FILE',
    }),
    sbom: booleanFlag('Attach an SPDX 2.3 document of what is in the image'),
    provenance: booleanFlag('Attach SLSA provenance, in a signed envelope where there is a key'),
    fileIndex: booleanFlag('Attach an index to fetch single files by'),
    version: textFlag('Which version; absent what Homebrew serves now', { valueName: 'VERSION' }),
    cache: textFlag('Where bottles and layers are kept', {
      valueName: 'DIR',
      environment: 'TAPLINE_CACHE',
    }),
    postInstall: textFlagWithDefault(
      'Which steps of formulae to carry out: those that touch files, the same on every machine, or also those that run programs, confined by runc',
      { choices: ['files', 'programs'], default: 'files' },
    ),
    homebrewKey: textFlag('PEM file with the public key of a mirror that signs its API itself', {
      valueName: 'FILE',
      environment: 'TAPLINE_HOMEBREW_KEY_FILE',
    }),
    format: textFlagWithDefault('How to print the result', {
      short: 'o',
      choices: ['text', 'json'],
      default: 'text',
    }),
  },
  async run({ console, positionals: [text = ''], flags }) {
    const target = flags.output === undefined ? undefined : parseImageTarget(flags.output);
    if (target === undefined && !flags.plan) {
      throw new TaplineError('usage', 'nothing says where the image is to go', {
        hint: 'name a folder or a registry with --output, or ask for a --plan',
      });
    }
    const platforms = (
      flags.platform.length === 0 ? ['linux/amd64', 'linux/arm64'] : flags.platform
    ).map(parsePlatform);
    const { createImageBuilder } = await import('@tapline/builder');
    const { FileBlobStore } = await import('@tapline/registry');
    const { homebrewDomains } = await import('@tapline/brew');
    const cacheDirectory = flags.cache ?? defaultCache(console.environment);
    const store = await FileBlobStore.open(join(cacheDirectory, 'images'));
    const token = console.environment['HOMEBREW_DOCKER_REGISTRY_TOKEN'];
    const basicToken = console.environment['HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN'];
    await using builder: ImageBuilder = createImageBuilder({
      store,
      cacheDirectory,
      domains: homebrewDomains({
        ...console.environment,
        TAPLINE_HOMEBREW_KEY_FILE: flags.homebrewKey,
      }),
      clock: console.clock,
      ...(token === undefined ? {} : { token }),
      ...(basicToken === undefined ? {} : { basicToken }),
    });
    const request = {
      formula: text,
      ...(flags.version === undefined ? {} : { version: flags.version }),
      platforms,
      postInstall: flags.postInstall as 'files' | 'programs',
      compression: flags.compression as 'gzip' | 'zstd',
      signal: console.signal,
    };
    if (target === undefined || flags.plan) {
      const plan = await builder.plan(request);
      console.write(flags.format === 'json' ? `${JSON.stringify(plan)}\n` : describePlan(plan));
      return exitCode.ok;
    }
    const progress = createBuildProgress(console);
    try {
      const image = await builder.build({ ...request, onEvent: progress.show });
      progress.end();
      const referrers = await attach(store, image, { target, flags });
      const where = await place(store, { image, referrers, target }, console);
      console.write(
        flags.format === 'json'
          ? `${JSON.stringify(summary(image, referrers))}\n`
          : `${describeImage(image)}${where}\n`,
      );
    } finally {
      progress.end();
    }
    return exitCode.ok;
  },
});

function defaultCache(environment: Console['environment']): string {
  const cache = environment['XDG_CACHE_HOME'] ?? join(environment['HOME'] ?? homedir(), '.cache');
  return join(cache, 'tapline', 'brew2oci');
}

/** What is to be attached, signed where a key is given. */
async function attach(
  store: BlobStore,
  image: BuiltImage,
  asked: {
    readonly target: ImageTarget;
    readonly flags: {
      readonly signKey: string | undefined;
      readonly sbom: boolean;
      readonly provenance: boolean;
      readonly fileIndex: boolean;
    };
  },
): Promise<readonly Referrer[]> {
  const { target, flags } = asked;
  const { attachReferrers } = await import('@tapline/builder');
  const { createImageSigner } = await import('@tapline/signatures');
  const signer =
    flags.signKey === undefined
      ? undefined
      : createImageSigner(await readFile(flags.signKey, 'utf8'), { name: flags.signKey });
  const reference =
    target.kind === 'layout'
      ? image.formula
      : `${new URL(target.baseUrl).host}/${target.repository}`;
  return await attachReferrers(store, image, { ...flags, reference, signer });
}

/** Writes the image where it is to go; says where that is. */
async function place(
  store: BlobStore,
  {
    image,
    referrers,
    target,
  }: {
    readonly image: BuiltImage;
    readonly referrers: readonly Referrer[];
    readonly target: ImageTarget;
  },
  console: Console,
): Promise<string> {
  if (target.kind === 'layout') {
    const { writeOciLayout } = await import('@tapline/builder');
    await writeOciLayout(store, image, {
      directory: target.directory,
      referrers,
      signal: console.signal,
    });
    return `written to ${target.directory}`;
  }
  const { createRegistryClient, pushImage } = await import('@tapline/registry');
  const { baseUrl, repository } = target;
  await using client = createRegistryClient({ baseUrl, clock: console.clock });
  const tag = target.tag ?? image.packageVersion.replaceAll(/[^A-Za-z0-9_.-]/g, '-');
  const pushed = await pushImage(client, store, {
    repository,
    digest: image.index.digest,
    tag,
    signal: console.signal,
  });
  for (const referrer of referrers) {
    await pushImage(client, store, {
      repository,
      digest: referrer.manifest.digest,
      ...(referrer.tag !== undefined && { tag: referrer.tag }),
      signal: console.signal,
    });
  }
  return `pushed to ${baseUrl}/${repository}:${tag}, ${formatBytes(pushed.uploadedBytes)} uploaded`;
}

function summary(image: BuiltImage, referrers: readonly Referrer[]): unknown {
  return {
    formula: image.formula,
    version: image.packageVersion,
    digest: image.index.digest,
    images: image.images.map((one) => ({
      platform: formatPlatform(one.platform),
      digest: one.manifest.digest,
      main: one.mainCommand,
      layers: one.layers.map(({ formula, formulae, version, digest, size }) => ({
        formula,
        formulae,
        version,
        digest,
        size,
      })),
    })),
    referrers: referrers.map(({ manifest, subject, tag }) => ({
      artifactType: manifest.artifactType,
      digest: manifest.digest,
      subject: subject.digest,
      tag,
    })),
  };
}

function describeImage(image: BuiltImage): string {
  const tables = image.images.map((one) => {
    const rows = one.layers.map((layer) => [
      layer.formula ?? layer.formulae?.join(' ') ?? '(links)',
      layer.version ?? '',
      formatBytes(layer.size),
      layer.digest,
    ]);
    return `${formatPlatform(one.platform)}  ${one.manifest.digest}\n${formatTable(
      ['  LAYER', 'VERSION', 'SIZE', 'DIGEST'],
      rows.map(([first, ...rest]) => [`  ${first}`, ...rest]),
    )}`;
  });
  return `${image.formula} ${image.packageVersion}  ${image.index.digest}\n${tables.join('')}built in ${formatDuration(image.timings.totalMs)}, `;
}
