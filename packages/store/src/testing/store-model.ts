import type { Change, Entry, WriteOperation } from '../store.ts';

/** What a store should do, in the plainest way: the whole history, searched from the start. */
export class StoreModel {
  readonly changes: Change[] = [];
  compactedRevision = 0;

  get revision(): number {
    return this.changes.length;
  }

  /** Entries as of a revision, ordered by key. */
  entriesAt(revision: number, prefix: string): Entry[] {
    const entries = new Map<string, Entry>();
    for (const change of this.changes.slice(0, revision)) {
      const { key, value, createRevision } = change;
      if (change.kind === 'delete') entries.delete(key);
      else entries.set(key, { key, value, createRevision, modRevision: change.revision });
    }
    return [...entries.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  changesAfter(revision: number, prefix: string): Change[] {
    return this.changes.slice(revision).filter(({ key }) => key.startsWith(prefix));
  }

  /** Applies all operations and answers undefined, or none and answers the error's code. */
  write(operations: readonly WriteOperation[]): string | undefined {
    const before = this.changes.length;
    for (const operation of operations) {
      const code = this.#apply(operation);
      if (code === undefined) continue;
      this.changes.length = before;
      return code;
    }
    return undefined;
  }

  #apply(operation: WriteOperation): string | undefined {
    const { key } = operation;
    const current = this.entriesAt(this.revision, key).find((entry) => entry.key === key);
    const revision = this.revision + 1;
    if (operation.kind === 'create') {
      if (current !== undefined) return 'already_exists';
      const { value } = operation;
      this.changes.push({ kind: 'put', key, value, createRevision: revision, revision });
      return undefined;
    }
    if (current === undefined) return 'not_found';
    if (operation.ifRevision !== undefined && operation.ifRevision !== current.modRevision) {
      return 'conflict';
    }
    const { createRevision, value: previous } = current;
    const value = operation.kind === 'update' ? operation.value : previous;
    const kind = operation.kind === 'update' ? 'put' : 'delete';
    this.changes.push({ kind, key, value, previous, createRevision, revision });
    return undefined;
  }
}
