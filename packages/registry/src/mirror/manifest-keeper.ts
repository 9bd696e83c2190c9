import { isTaplineError, type Log } from '@tapline/base';
import { type Digest, parseManifest } from '@tapline/oci';
import type { RegistryClient } from '../client/registry-client.ts';
import type { StoredManifest } from './mirror-store.ts';

type Waiting = Map<Digest, StoredManifest>;

const maxRepositories = 1000;

/**
 * Hands manifests to the registry that keeps the blobs, as soon as it has all of them: what no
 * manifest refers to is collected there.
 */
export class ManifestKeeper {
  readonly #waiting = new Map<string, Waiting>();
  readonly #kept = new Set<string>();
  readonly #trying = new Map<string, Promise<void>>();
  readonly #init: { readonly local: Pick<RegistryClient, 'pushManifest'>; readonly log: Log };

  constructor(init: { readonly local: Pick<RegistryClient, 'pushManifest'>; readonly log: Log }) {
    this.#init = init;
  }

  /** A client was given this manifest, and will ask for what it refers to. */
  served(repository: string, digest: Digest, manifest: StoredManifest): void {
    const key = `${repository}@${digest}`;
    // An index would need all its platforms, of which clients take one.
    if (this.#kept.has(key) || parseManifest(manifest.bytes).kind === 'index') return;
    if (this.#waiting.size >= maxRepositories) this.#waiting.clear();
    const waiting: Waiting = this.#waiting.get(repository) ?? new Map();
    this.#waiting.set(repository, waiting.set(digest, manifest));
    void this.stored(repository);
  }

  /** The registry has got another blob of the repository. */
  stored(repository: string): Promise<void> {
    const before = this.#trying.get(repository) ?? Promise.resolve();
    const tried = before.then(() => this.#try(repository));
    this.#trying.set(repository, tried);
    void tried.finally(() => {
      if (this.#trying.get(repository) === tried) this.#trying.delete(repository);
    });
    return tried;
  }

  async #try(repository: string): Promise<void> {
    const { local, log } = this.#init;
    const waiting = this.#waiting.get(repository);
    for (const [digest, manifest] of waiting ?? []) {
      try {
        await local.pushManifest(repository, { reference: digest, ...manifest });
        waiting?.delete(digest);
        if (this.#kept.size >= 100 * maxRepositories) this.#kept.clear();
        this.#kept.add(`${repository}@${digest}`);
      } catch (error) {
        if (isTaplineError(error, 'manifest_blob_unknown')) continue;
        log.warn('mirror: a manifest could not be kept', { repository, digest, error });
      }
    }
    if (waiting?.size === 0) this.#waiting.delete(repository);
  }
}
