import { type Clock, isTaplineError, type Log, type Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  builtInPlaybooks,
  type ExecuteOnDevice,
  type OpsBot,
  type OpsMetrics,
  startOpsBot,
} from '@tapline/opsbot';
import type { ReconcileMetrics } from '@tapline/reconcile';
import { opsPolicyResource, playbookResource, type PlaybookSpec } from '@tapline/resources';
import type { Span } from '@tapline/telemetry';
import type { Informers } from '../informers.ts';

/**
 * Starts OpsBot within a control plane, whose informers are synced. The playbooks that come with it are
 * written with the first policy: what is changed or deleted later stays so.
 */
export async function startOps(init: {
  readonly client: ResourceClient;
  readonly informers: Informers;
  /** Whether other replicas may lead; where none can, the lock of the store is all that it takes. */
  readonly shared: boolean;
  readonly identity: string;
  readonly execute: ExecuteOnDevice;
  readonly metrics: OpsMetrics;
  readonly reconcileMetrics: ReconcileMetrics;
  readonly onSpans?: (spans: readonly Span[]) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): Promise<OpsBot> {
  await writeFirst(init.client);
  return startOpsBot(init);
}

async function writeFirst(client: ResourceClient): Promise<void> {
  const name = 'default';
  try {
    await client.get(opsPolicyResource, name);
    return;
  } catch (error) {
    if (!isTaplineError(error, 'not_found')) throw error;
  }
  for (const playbook of builtInPlaybooks) {
    await unlessThere(() =>
      client.create(playbookResource, {
        metadata: { name: playbook.name },
        // The server fills in the defaults.
        spec: playbook.spec as PlaybookSpec,
      }),
    );
  }
  const spec = opsPolicyResource.spec.parse({});
  await unlessThere(() => client.create(opsPolicyResource, { metadata: { name }, spec }));
}

async function unlessThere(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isTaplineError(error, 'already_exists')) throw error;
  }
}
