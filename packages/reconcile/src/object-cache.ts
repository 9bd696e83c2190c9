import type { AnyObject } from './any-object.ts';
import type { Change } from './change.ts';
import { compareRevisions } from './compare-revisions.ts';
import { objectKey } from './object-key.ts';

/** Which values of an index an object is found under. */
export type IndexFunction<T> = (object: T) => readonly string[];

/**
 * Objects of one kind by key, with indexes. Never goes back in time: what is older than the object
 * it would replace, or than the newest event seen, changes nothing.
 */
export class ObjectCache<T extends AnyObject, Index extends string = never> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<Index, Map<string, Map<string, T>>>();
  readonly #functions: Readonly<Record<Index, IndexFunction<T>>>;
  #revision: string | undefined;

  constructor(indexes: Readonly<Record<Index, IndexFunction<T>>>) {
    this.#functions = indexes;
    for (const name of Object.keys(indexes) as Index[]) this.#indexes.set(name, new Map());
  }

  /** Everything up to this revision has been seen. */
  get revision(): string | undefined {
    return this.#revision;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  byIndex(index: Index, value: string): readonly T[] {
    const found = this.#indexes.get(index)?.get(value);
    return found === undefined ? [] : [...found.values()];
  }

  countByIndex(index: Index, value: string): number {
    return this.#indexes.get(index)?.get(value)?.size ?? 0;
  }

  /** The state of a list taken at `revision`; objects the cache knows to be newer stay. */
  replace(objects: readonly T[], revision: string): readonly Change<T>[] {
    const changes: Change<T>[] = [];
    const listed = new Set<string>();
    for (const object of objects) {
      listed.add(objectKey(object.metadata));
      changes.push(...this.#put(object));
    }
    for (const [key, object] of this.#objects) {
      if (listed.has(key)) continue;
      if (compareRevisions(object.metadata.resourceVersion, revision) > 0) continue;
      this.#remove(key, object);
      changes.push({ kind: 'deleted', object });
    }
    this.advance(revision);
    return changes;
  }

  /** An event of the watch that follows the list. */
  apply(kind: 'added' | 'modified' | 'deleted', object: T): readonly Change<T>[] {
    const revision = object.metadata.resourceVersion;
    const changes = kind === 'deleted' ? this.#delete(object) : this.#put(object);
    if (revision !== undefined) this.advance(revision);
    return changes;
  }

  /**
   * An object that a write of ours answered, ahead of its event. Ignored when events have passed its
   * revision already: the cache then knows better, and a deleted object must not come back.
   */
  observe(object: T): readonly Change<T>[] {
    if (compareRevisions(object.metadata.resourceVersion, this.#revision) <= 0) return [];
    return this.#put(object);
  }

  advance(revision: string): void {
    if (compareRevisions(revision, this.#revision) > 0) this.#revision = revision;
  }

  #put(object: T): readonly Change<T>[] {
    const key = objectKey(object.metadata);
    const previous = this.#objects.get(key);
    if (previous === undefined) {
      this.#insert(key, object);
      return [{ kind: 'added', object }];
    }
    const { resourceVersion } = object.metadata;
    if (compareRevisions(resourceVersion, previous.metadata.resourceVersion) <= 0) return [];
    this.#remove(key, previous);
    this.#insert(key, object);
    // Another uid under the same name is another object: its users must see the old one go.
    return previous.metadata.uid === object.metadata.uid
      ? [{ kind: 'modified', object, previous }]
      : [
          { kind: 'deleted', object: previous },
          { kind: 'added', object },
        ];
  }

  #delete(object: T): readonly Change<T>[] {
    const key = objectKey(object.metadata);
    const previous = this.#objects.get(key);
    if (previous === undefined) return [];
    const { resourceVersion } = object.metadata;
    if (compareRevisions(resourceVersion, previous.metadata.resourceVersion) < 0) return [];
    this.#remove(key, previous);
    return [{ kind: 'deleted', object }];
  }

  #insert(key: string, object: T): void {
    this.#objects.set(key, object);
    for (const [name, index] of this.#indexes) {
      for (const value of this.#functions[name](object)) {
        const bucket = index.get(value);
        if (bucket === undefined) index.set(value, new Map([[key, object]]));
        else bucket.set(key, object);
      }
    }
  }

  #remove(key: string, object: T): void {
    this.#objects.delete(key);
    for (const [name, index] of this.#indexes) {
      for (const value of this.#functions[name](object)) {
        const bucket = index.get(value);
        bucket?.delete(key);
        if (bucket?.size === 0) index.delete(value);
      }
    }
  }
}
