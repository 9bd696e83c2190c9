import { randomUUID } from 'node:crypto';
import { type AuditSink, type Identity, internalIdentity } from '@tapline/apiserver';
import { type Clock, errorMessage } from '@tapline/base';
import type { LocalChange, RegistryChange, ReplicationEvent } from '@tapline/registry';

type Entry = Parameters<AuditSink['record']>[0];

/** What is written down of replication; each resolves when it would survive the process. */
export interface ReplicationAudit {
  /** A task was done or failed; one that found nothing to do changed nothing. */
  task(event: ReplicationEvent): Promise<void>;
  /** Somebody had a policy run. */
  round(policy: string, identity: Identity): Promise<void>;
}

export function createReplicationAudit(init: {
  readonly audit: AuditSink;
  readonly clock: Clock;
}): ReplicationAudit {
  const { audit, clock } = init;

  async function record(
    identity: Identity,
    entry: Pick<Entry, 'verb' | 'name' | 'code'> & Partial<Entry>,
  ): Promise<void> {
    audit.record({
      time: new Date(clock.now()).toISOString(),
      id: randomUUID(),
      user: identity.user,
      groups: identity.groups,
      via: identity.via,
      group: 'registry.tapline.dev',
      resource: 'replications',
      decision: 'allow',
      ...entry,
    });
    await audit.written();
  }

  return {
    async task({ policy, kind, outcome, repository, reference, error }) {
      if (outcome === 'skipped') return;
      const separator = reference.includes(':') ? '@' : ':';
      await record(internalIdentity('replication'), {
        verb: kind === 'delete' ? 'delete' : 'copy',
        name: `${policy} ${repository}${separator}${reference}`,
        code: outcome === 'done' ? 200 : 502,
        ...(error !== undefined && { reason: errorMessage(error).slice(0, 500) }),
      });
    },
    round: (policy, identity) => record(identity, { verb: 'run', name: policy, code: 202 }),
  };
}

/** What replication has to follow of a change of the registry. */
export function localChangesOf(change: RegistryChange): readonly LocalChange[] {
  const { verb, what, repository, reference, tags = [], code } = change;
  if (what !== 'manifest' && what !== 'tag') return [];
  if (repository === undefined || reference === undefined || code >= 300) return [];
  if (verb === 'delete') return [{ kind: 'deleted', repository, reference }];
  if (verb !== 'push') return [];
  const named = tags.length === 0 ? [reference] : tags;
  return named.map((one) => ({ kind: 'pushed', repository, reference: one }));
}
