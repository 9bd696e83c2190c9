import type { KeyObject } from 'node:crypto';
import { type Clock, TaplineError } from '@tapline/base';
import {
  bottleRegistryUrl,
  type BottleTag,
  bottleTags,
  catalogueUrl,
  type Formula,
  type HomebrewDomains,
  packagesUrl,
  parseFormula,
  parseTab,
  type Tab,
} from '@tapline/brew';
import { type Digest, parseDigest, parseManifest } from '@tapline/oci';
import { type Catalogue, parseCatalogue } from './catalogue.ts';
import { type CatalogueSource, createCatalogueSource } from './catalogue-source.ts';
import type { DocumentCache } from './document-cache.ts';
import { parsePackages } from './parse-packages.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A bottle as the registry of bottles describes it. */
export interface RegistryBottle {
  /** The keg's version, with revision. */
  readonly pkgVersion: string;
  readonly digest: Digest;
  readonly url: string;
  readonly size?: number;
  readonly tab: Tab;
}

/** Where formulae and the versions of their bottles are known. */
export interface HomebrewApi {
  readonly domains: HomebrewDomains;
  /**
   * What a request for a bottle carries: credentials for the registry of bottles, and nothing for any
   * other place that a formula names.
   */
  registryHeaders(url: string): Readonly<Record<string, string>>;
  /** The formula of a name, an alias or an old name, out of the signed list. */
  formula(name: string, tag: BottleTag, options?: CallOptions): Promise<Formula | undefined>;
  /** All names, to suggest from. */
  names(options?: CallOptions): Promise<readonly string[]>;
  /**
   * The bottles of one version of a formula by bottle tag, `versionTag` being
   * `<pkg_version>[-<rebuild>]`; undefined where the registry has no such version, or is none.
   */
  bottles(
    name: string,
    versionTag: string,
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, RegistryBottle> | undefined>;
  /** Version tags that the registry has of a formula. */
  versionTags(name: string, options?: CallOptions): Promise<readonly string[]>;
}

export interface HomebrewApiInit {
  readonly documents: DocumentCache;
  readonly domains: HomebrewDomains;
  readonly clock: Clock;
  /** What the list of formulae has to be signed with. */
  readonly key: KeyObject;
  /** `HOMEBREW_DOCKER_REGISTRY_TOKEN`; ghcr.io wants one from anybody, and any will do. */
  readonly token?: string;
  /** `HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN`. */
  readonly basicToken?: string;
}

const maxManifestBytes = 8 * 1024 * 1024;

export function createHomebrewApi(init: HomebrewApiInit): HomebrewApi {
  const { documents, domains } = init;
  const authorization =
    init.basicToken === undefined ? `Bearer ${init.token ?? 'QQ=='}` : `Basic ${init.basicToken}`;
  const listUrl = catalogueUrl(domains);
  const catalogue = createCatalogueSource({ ...init, url: listUrl, parse: parseCatalogue });
  const packages = new Map<BottleTag, CatalogueSource>(
    bottleTags.map((tag) => {
      const parse = (payload: string): Catalogue => parsePackages(payload, tag);
      return [tag, createCatalogueSource({ ...init, url: packagesUrl(domains, tag), parse })];
    }),
  );

  /** The list for all machines, or the one for the tag where a mirror has only those. */
  async function load(tag: BottleTag, options: CallOptions): Promise<Catalogue> {
    const found = (await catalogue.load(options)) ?? (await packages.get(tag)?.load(options));
    if (found !== undefined) return found;
    throw new TaplineError(
      'homebrew_signature_invalid',
      `${listUrl} does not exist, and formula data that nobody signed is not used`,
      {
        hint: 'check that HOMEBREW_API_DOMAIN names a whole mirror of the formula API',
        details: { url: listUrl, reason: 'missing' },
      },
    );
  }

  function fetchFromRegistry(url: string, options: CallOptions): Promise<string | undefined> {
    return documents.get(url, {
      headers: { authorization, accept: 'application/vnd.oci.image.index.v1+json, */*;q=0.5' },
      maxBytes: maxManifestBytes,
      signal: options.signal,
    });
  }

  return {
    domains,
    registryHeaders(url) {
      const registry = bottleRegistryUrl(domains, '');
      const isRegistry = registry !== undefined && new URL(url).origin === new URL(registry).origin;
      return isRegistry ? { authorization } : {};
    },
    async formula(name, tag, options = {}) {
      const json = (await load(tag, options)).formula(name);
      return json === undefined ? undefined : parseFormula(json, tag);
    },
    async names(options = {}) {
      return (await load('x86_64_linux', options)).names;
    },
    async bottles(name, versionTag, options = {}) {
      const registry = bottleRegistryUrl(domains, name);
      if (registry === undefined) return undefined;
      const url = `${registry}/manifests/${encodeURIComponent(versionTag)}`;
      const text = await fetchFromRegistry(url, options);
      return text === undefined ? undefined : parseVersionIndex(text, { registry, url });
    },
    async versionTags(name, options = {}) {
      const registry = bottleRegistryUrl(domains, name);
      if (registry === undefined) return [];
      // Without `n` a registry may answer with a first page (distribution-spec, "Listing Tags").
      const url = `${registry}/tags/list?n=1000`;
      const text = await fetchFromRegistry(url, options);
      return text === undefined ? [] : parseTags(parseJson(text, url));
    },
  };
}

/** `<pkg_version>.<tag>[.<rebuild>]` (`GitHubPackages.version_rebuild`). */
const bottleRefName = /^(.+)\.([a-z][a-z0-9_]*)(?:\.\d+)?$/;

/** The index of a version (`github_packages.rb`): a child per bottle, told apart by annotations. */
function parseVersionIndex(
  text: string,
  { registry, url }: { readonly registry: string; readonly url: string },
): ReadonlyMap<string, RegistryBottle> {
  const parsed = parseManifest(text);
  if (parsed.kind !== 'index') {
    throw new TaplineError('manifest_invalid', `${url} is not an image index`);
  }
  const bottles = new Map<string, RegistryBottle>();
  for (const { annotations = {} } of parsed.index.manifests) {
    const named = bottleRefName.exec(annotations['org.opencontainers.image.ref.name'] ?? '');
    const [, version, tag] = named ?? [];
    const hex = annotations['sh.brew.bottle.digest'];
    if (version === undefined || tag === undefined || hex === undefined) continue;
    const digest = parseDigest(`sha256:${hex}`);
    const size = Number(annotations['sh.brew.bottle.size'] ?? NaN);
    bottles.set(tag, {
      pkgVersion: version,
      digest,
      url: `${registry}/blobs/${digest}`,
      ...(Number.isSafeInteger(size) && { size }),
      tab: parseTab(annotations['sh.brew.tab'] ?? '{}'),
    });
  }
  return bottles;
}

function parseTags(json: unknown): readonly string[] {
  const tags = typeof json === 'object' && json !== null && 'tags' in json ? json.tags : [];
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TaplineError('homebrew_answer_invalid', `${url} is not JSON`, {
      cause,
      hint: 'check that HOMEBREW_API_DOMAIN names a mirror of the formula API',
    });
  }
}
