import { randomUUID } from 'node:crypto';
import type { Clock } from '@tapline/base';
import type { Change, Store } from '@tapline/store';
import type { AuditEntry, AuditSink } from './audit-entry.ts';
import { internalIdentity } from './identity.ts';
import type { RecentAudit } from './recent-audit.ts';

export interface LostWritesInit {
  readonly store: Store;
  readonly audit: AuditSink;
  /** As it was before anything new is recorded. */
  readonly recent: RecentAudit;
  readonly clock: Clock;
}

/**
 * Gives every write its entry that a crash between commit and entry left without one. Nobody was
 * told of those writes, so nobody knows who asked: the entry says that. Resolves with their number.
 */
export async function recordLostWrites(init: LostWritesInit): Promise<number> {
  const { audit, clock, recent, store } = init;
  const lost = (await changesAfter(store, recent.since)).filter(
    ({ revision }) => !recent.written.has(revision),
  );
  for (const change of lost) {
    audit.record({
      ...describe(change),
      time: new Date(clock.now()).toISOString(),
      id: randomUUID(),
      after: String(change.revision),
    });
  }
  if (lost.length > 0) await audit.written();
  return lost.length;
}

async function changesAfter(store: Store, since: number): Promise<readonly Change[]> {
  const newest = store.revision;
  const after = Math.max(since, store.compactedRevision);
  if (after >= newest) return [];
  const found: Change[] = [];
  const stop = new AbortController();
  for await (const batch of store.watch({ prefix: '', after, signal: stop.signal })) {
    found.push(...batch);
    if ((batch.at(-1)?.revision ?? 0) >= newest) break;
  }
  stop.abort();
  return found;
}

function describe(change: Change): Omit<AuditEntry, 'time' | 'id' | 'after'> {
  const [group = '', resource = '', ...rest] = change.key.split('/');
  const [namespace, name] = rest.length > 1 ? rest : [undefined, rest[0]];
  const written = change.previous === undefined ? 'create' : 'update';
  return {
    ...internalIdentity('audit'),
    verb: change.kind === 'delete' ? 'delete' : written,
    group: group === 'core' ? '' : group,
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    decision: 'allow',
    code: 200,
    reason: 'found without an entry at start: it was committed before a crash and never answered',
  };
}
