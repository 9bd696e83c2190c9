import { TaplineError } from '@tapline/base';
import { entryLeft } from './entry-of.ts';
import type { Change, Entry, WriteOperation } from './store.ts';

/** State as one write sees it. */
export interface WriteBase {
  /** The entry now, also where the change that made it is not durable yet. */
  readonly get: (key: string) => Entry | undefined;
  /** The newest revision taken; the first operation gets the next. */
  readonly revision: number;
}

/** What a write would change, or the reason why it may not: all of its operations or none. */
export function planWrite(
  operations: readonly WriteOperation[],
  base: WriteBase,
): readonly Change[] {
  const changes: Change[] = [];
  const written = new Map<string, Entry | undefined>();
  for (const [index, operation] of operations.entries()) {
    const { key } = operation;
    const current = written.has(key) ? written.get(key) : base.get(key);
    const revision = base.revision + index + 1;
    const change = planOperation(operation, { index, current, revision });
    written.set(key, entryLeft(change));
    changes.push(change);
  }
  return changes;
}

interface Place {
  readonly index: number;
  readonly current: Entry | undefined;
  readonly revision: number;
}

function planOperation(operation: WriteOperation, place: Place): Change {
  const { key } = operation;
  const { index, current, revision } = place;
  const details = { key, operation: index };
  if (operation.kind === 'create') {
    if (current !== undefined) {
      throw new TaplineError(
        'already_exists',
        `key "${key}" exists since revision ${current.createRevision}`,
        { details },
      );
    }
    return { kind: 'put', key, value: operation.value, createRevision: revision, revision };
  }
  if (current === undefined) {
    throw new TaplineError('not_found', `key "${key}" does not exist`, { details });
  }
  const { value: previous, createRevision, modRevision: actual } = current;
  const { ifRevision: expected } = operation;
  if (expected !== undefined && expected !== actual) {
    throw new TaplineError(
      'conflict',
      `key "${key}" is at revision ${actual}, not at the expected ${expected}`,
      {
        hint: 'read it again, apply the change to what was read, and write that',
        details: { ...details, expected, actual },
      },
    );
  }
  return operation.kind === 'update'
    ? { kind: 'put', key, value: operation.value, previous, createRevision, revision }
    : { kind: 'delete', key, value: previous, previous, createRevision, revision };
}
