import { type Clock, TaplineError } from '@tapline/base';
import type { HarborClient } from './create-harbor-client.ts';
import type { HarborExecution } from './harbor-objects.ts';

export interface HarborProgress {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

const firstWaitMs = 200;
const maxWaitMs = 5000;

/**
 * Has Harbor run a replication policy now, and waits for its end. Throws `harbor_execution_failed`
 * with what went wrong; where `signal` aborts, the execution is stopped.
 */
export async function runHarborPolicy(
  client: HarborClient,
  policy: string,
  options: {
    readonly clock: Clock;
    readonly signal?: AbortSignal;
    readonly onProgress?: (progress: HarborProgress) => void;
  },
): Promise<HarborExecution> {
  const { clock, signal } = options;
  const found = (await client.policies.list({ signal })).find(({ name }) => name === policy);
  if (found === undefined) {
    throw new TaplineError('harbor_not_found', `Harbor has no replication policy ${policy}`);
  }
  const id = await client.executions.start(found.id, { signal });
  try {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 1.5, maxWaitMs)) {
      const execution = await client.executions.get(id, { signal });
      const { total = 0, succeed = 0, failed = 0, stopped = 0 } = execution;
      options.onProgress?.({ done: succeed, failed: failed + stopped, total });
      if (execution.status === 'Succeed') return execution;
      if (execution.status !== 'InProgress') throw await failure(client, policy, execution);
      await clock.sleep(waitMs, signal === undefined ? {} : { signal });
    }
  } catch (error) {
    if (signal?.aborted === true) await client.executions.stop(id);
    throw error;
  }
}

async function failure(
  client: HarborClient,
  policy: string,
  execution: HarborExecution,
): Promise<TaplineError> {
  const tasks = await client.executions.tasks(execution.id);
  const failed = tasks.filter(({ status }) => status === 'Failed' || status === 'Error');
  const names = failed.map(({ src_resource }) => src_resource ?? 'a resource').slice(0, 3);
  const what = names.length === 0 ? (execution.status_text ?? 'no reason given') : names.join(', ');
  return new TaplineError(
    'harbor_execution_failed',
    `replication ${policy} ended as ${execution.status}: ${what}`,
    { details: { execution: execution.id, failed: failed.length } },
  );
}
