import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '@tapline/apiserver';
import { type Log, TaplineError } from '@tapline/base';
import { formatPlatform } from '@tapline/oci';
import type { ReplicationStatus, Replicator } from '@tapline/registry';
import { administratorOf } from '../administrator-of.ts';
import { answerFailure, answerJson } from '../json-answers.ts';

export const replicationPath = '/registry/v1/replication';

/** What is replicated, and policies to run now: docs/protocols/registry-admin.md. */
export function createReplicationEndpoint(init: {
  readonly replicator: Pick<Replicator, 'status' | 'runRound'>;
  readonly identify: (request: IncomingMessage) => Identity | undefined;
  /** Written down before the round begins. */
  readonly onRound: (policy: string, identity: Identity) => Promise<void>;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const { replicator, log } = init;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const identity = administratorOf(init.identify(request), 'administer the registry');
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      const [, policy] = /^\/registry\/v1\/replication\/([a-z0-9-]+)$/.exec(path) ?? [];
      if (policy !== undefined && request.method === 'POST') {
        const known = replicator.status().some(({ policy: { name } }) => name === policy);
        if (known) await init.onRound(policy, identity);
        answerJson(response, 202, { policy, tasks: await replicator.runRound(policy) });
      } else if (path === replicationPath && request.method === 'GET') {
        answerJson(response, 200, { policies: replicator.status().map(describeStatus) });
      } else {
        throw new TaplineError(
          'not_found',
          `${request.method} ${path.slice(0, 200)} is not served`,
        );
      }
    } catch (error) {
      answerFailure({ request, response }, error, log);
    }
  }
  return (request, response) => void respond(request, response);
}

function describeStatus({ policy, lastRunMs, ...status }: ReplicationStatus): unknown {
  const { name, direction, repositories, tags, platforms, everyMs, onPush } = policy;
  return {
    name,
    direction,
    repositories,
    tags,
    ...(platforms !== undefined && { platforms: platforms.map(formatPlatform) }),
    onPush,
    ...(everyMs !== undefined && { everySeconds: everyMs / 1000 }),
    ...status,
    ...(lastRunMs !== undefined && { lastRun: new Date(lastRunMs).toISOString() }),
  };
}
