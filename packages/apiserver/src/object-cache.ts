import type { ServedKind } from './served-kind.ts';
import { StoredObject } from './stored-object.ts';

/** Parsed objects by key and revision, the least recently used dropped beyond a limit. */
export class ObjectCache {
  readonly #limit: number;
  readonly #objects = new Map<string, StoredObject>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The object of a stored value: the one from before where the revision is the same. */
  at(
    kind: ServedKind,
    entry: { readonly key: string; readonly value: string; readonly modRevision: number },
  ): StoredObject {
    const known = this.#objects.get(entry.key);
    if (known?.revision === entry.modRevision) {
      this.#objects.delete(entry.key);
      this.#objects.set(entry.key, known);
      return known;
    }
    const object = new StoredObject(kind, entry.value, entry.modRevision);
    // Reading an old snapshot must not push out what is current.
    if (known === undefined || known.revision < entry.modRevision) this.#put(entry.key, object);
    return object;
  }

  /** Takes in what was just written, so that nobody parses it. */
  put(key: string, object: StoredObject): void {
    const known = this.#objects.get(key);
    if (known === undefined || known.revision < object.revision) this.#put(key, object);
  }

  forget(key: string): void {
    this.#objects.delete(key);
  }

  #put(key: string, object: StoredObject): void {
    this.#objects.delete(key);
    this.#objects.set(key, object);
    if (this.#objects.size <= this.#limit) return;
    for (const oldest of this.#objects.keys()) {
      this.#objects.delete(oldest);
      break;
    }
  }
}
