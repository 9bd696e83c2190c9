import { isTaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { Informer } from '@tapline/reconcile';
import { type OpsPolicy, opsPolicyResource, type OpsPolicySpec } from '@tapline/resources';
import type { Ledger } from '../ledger.ts';

/** The one OpsPolicy that counts. */
export const policyName = 'default';

const fallbackSpec: OpsPolicySpec = {
  concurrent: 3,
  perHour: 30,
  perDay: 200,
  approvalSeconds: 3600,
  resets: 0,
};

export interface LedgerWriter {
  /** The newest that is on disk. */
  read(): Promise<OpsPolicy>;
  /** Changes it by compare-and-swap; `change` is asked again where somebody was faster. */
  change(change: (policy: OpsPolicy) => Ledger): Promise<OpsPolicy>;
}

export function createLedgerWriter(init: {
  readonly client: ResourceClient;
  readonly informer: Pick<Informer<OpsPolicy>, 'observe'>;
}): LedgerWriter {
  const { client, informer } = init;

  async function read(): Promise<OpsPolicy> {
    try {
      return await client.get(opsPolicyResource, policyName);
    } catch (error) {
      if (!isTaplineError(error, 'not_found')) throw error;
    }
    try {
      const metadata = { name: policyName };
      return await client.create(opsPolicyResource, { metadata, spec: fallbackSpec });
    } catch (error) {
      if (!isTaplineError(error, 'already_exists')) throw error;
      return await client.get(opsPolicyResource, policyName);
    }
  }

  return {
    read,
    async change(change) {
      for (;;) {
        const policy = await read();
        const status = change(policy);
        if (status === policy.status) return policy;
        try {
          const written = await client.updateStatus(opsPolicyResource, { ...policy, status });
          informer.observe(written);
          return written;
        } catch (error) {
          if (!isTaplineError(error, 'conflict')) throw error;
        }
      }
    },
  };
}
