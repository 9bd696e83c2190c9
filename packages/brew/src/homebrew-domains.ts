import { bottleRepository } from './bottle-repository.ts';
import type { BottleTag } from './bottle-tag.ts';

/** Where formulae and bottles come from: Homebrew's own variables, as data. */
export interface HomebrewDomains {
  /** `HOMEBREW_API_DOMAIN`: JSON below it. */
  readonly api: string;
  /** `HOMEBREW_BOTTLE_DOMAIN`: bottles below it; a registry, or a folder of flat file names. */
  readonly bottle: string;
  /** `HOMEBREW_ARTIFACT_DOMAIN`: takes the place of scheme and host of every artifact. */
  readonly artifact?: string;
  /**
   * `TAPLINE_HOMEBREW_KEY_FILE`: PEM file with the public key of an API that signs for itself;
   * Homebrew's own key unless given.
   */
  readonly keyFile?: string;
}

export const defaultHomebrewDomains: HomebrewDomains = {
  api: 'https://formulae.brew.sh/api',
  bottle: 'https://ghcr.io/v2/homebrew/core',
};

/** Domains from the environment's variables; those not set are Homebrew's own. */
export function homebrewDomains(
  variables: Readonly<Record<string, string | undefined>>,
): HomebrewDomains {
  const artifact = variables['HOMEBREW_ARTIFACT_DOMAIN'];
  const keyFile = variables['TAPLINE_HOMEBREW_KEY_FILE'];
  return {
    api: trimSlash(variables['HOMEBREW_API_DOMAIN'] || defaultHomebrewDomains.api),
    bottle: trimSlash(variables['HOMEBREW_BOTTLE_DOMAIN'] || defaultHomebrewDomains.bottle),
    ...(artifact && { artifact: trimSlash(artifact) }),
    ...(keyFile && { keyFile }),
  };
}

/** All formulae, signed. */
export function catalogueUrl(domains: HomebrewDomains): string {
  return `${domains.api}/formula.jws.json`;
}

/** What Homebrew's newer clients read instead: signed as well, and for one kind of machine. */
export function packagesUrl(domains: HomebrewDomains, tag: BottleTag): string {
  return `${domains.api}/internal/packages.${tag}.jws.json`;
}

export interface BottleLocation {
  readonly name: string;
  /** With revision. */
  readonly version: string;
  readonly rebuild: number;
  readonly tag: string;
  /** As in the formula API. */
  readonly url: string;
}

/** Where to fetch a bottle, mirrors applied (`bottle_specification.rb`, `download_strategy.rb`). */
export function bottleUrl(domains: HomebrewDomains, bottle: BottleLocation): string {
  if (domains.bottle === defaultHomebrewDomains.bottle) return artifactUrl(domains, bottle.url);
  const digest = /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(bottle.url)?.[1];
  if (isRegistry(domains.bottle) && digest !== undefined) {
    return `${domains.bottle}/${bottleRepository(bottle.name)}/blobs/${digest}`;
  }
  return `${domains.bottle}/${bottleFileName(bottle)}`;
}

/** The registry repository of a formula as a URL, or undefined where the mirror is no registry. */
export function bottleRegistryUrl(domains: HomebrewDomains, name: string): string | undefined {
  if (!isRegistry(domains.bottle)) return undefined;
  const repository = `${domains.bottle}/${bottleRepository(name)}`;
  return domains.bottle === defaultHomebrewDomains.bottle
    ? artifactUrl(domains, repository)
    : repository;
}

/** `jq-1.8.1.x86_64_linux.bottle.1.tar.gz`, the name in flat mirrors (`Bottle::Filename`). */
function bottleFileName({ name, version, rebuild, tag }: BottleLocation): string {
  const suffix = rebuild === 0 ? '' : `.${rebuild}`;
  return `${name}-${version}.${tag}.bottle${suffix}.tar.gz`;
}

/** A registry serves `/v2/`; Homebrew itself takes only ghcr.io for one. */
function isRegistry(domain: string): boolean {
  return /^https?:\/\/[^/]+\/v2(\/|$)/.test(domain);
}

function artifactUrl(domains: HomebrewDomains, url: string): string {
  return domains.artifact === undefined
    ? url
    : url.replace(/^https?:\/\/[^/]+/, () => domains.artifact ?? '');
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
