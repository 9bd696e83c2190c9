import type { Descriptor } from '@tapline/oci';

/** A manifest that was asked for before. */
export interface CachedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/**
 * Manifests of repositories by reference, the least recently used dropped beyond a number of bytes.
 * A write forgets all of its repository before it is answered.
 */
export class ManifestCache {
  readonly #maxBytes: number;
  readonly #repositories = new Map<string, Map<string, CachedManifest>>();
  #bytes = 0;
  #epoch = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Taken before reading what is put later: what was forgotten in between does not come back. */
  get epoch(): number {
    return this.#epoch;
  }

  get(repository: string, reference: string): CachedManifest | undefined {
    const manifests = this.#repositories.get(repository);
    const found = manifests?.get(reference);
    if (manifests === undefined || found === undefined) return undefined;
    // Last in both maps: the first of the first is the one used longest ago, or close to it.
    this.#repositories.delete(repository);
    this.#repositories.set(repository, manifests);
    return found;
  }

  put(
    repository: string,
    reference: string,
    manifest: CachedManifest,
    options: { readonly epoch: number },
  ): void {
    if (options.epoch !== this.#epoch) return;
    const manifests = this.#repositories.get(repository) ?? new Map<string, CachedManifest>();
    if (manifests.has(reference)) return;
    this.#repositories.set(repository, manifests.set(reference, manifest));
    this.#bytes += manifest.bytes.length;
    this.#shrink();
  }

  forget(repository: string): void {
    this.#epoch += 1;
    this.#drop(repository);
  }

  #shrink(): void {
    for (const [repository, manifests] of this.#repositories) {
      for (const [reference, { bytes }] of manifests) {
        if (this.#bytes <= this.#maxBytes) return;
        manifests.delete(reference);
        this.#bytes -= bytes.length;
      }
      if (manifests.size === 0) this.#repositories.delete(repository);
    }
  }

  #drop(repository: string): void {
    const manifests = this.#repositories.get(repository);
    for (const { bytes } of manifests?.values() ?? []) this.#bytes -= bytes.length;
    this.#repositories.delete(repository);
  }
}
