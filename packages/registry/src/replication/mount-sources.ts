import type { Digest } from '@tapline/oci';

const maxBlobs = 50_000;

/** Which repository of a registry has a blob, as far as copies have told: there it is mounted from. */
export class MountSources {
  readonly #repositories = new Map<string, string>();

  add(registry: string, blob: Digest, repository: string): void {
    const key = `${registry} ${blob}`;
    // The newest stays longest.
    this.#repositories.delete(key);
    this.#repositories.set(key, repository);
    const [oldest] = this.#repositories.keys();
    if (this.#repositories.size > maxBlobs && oldest !== undefined) {
      this.#repositories.delete(oldest);
    }
  }

  /** Another repository than `target` that has the blob. */
  find(registry: string, blob: Digest, target: string): string | undefined {
    const found = this.#repositories.get(`${registry} ${blob}`);
    return found === target ? undefined : found;
  }
}
