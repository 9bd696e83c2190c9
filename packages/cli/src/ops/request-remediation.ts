import { randomBytes } from 'node:crypto';
import { TaplineError } from '@tapline/base';
import type { KubeconfigContext, ResourceClient } from '@tapline/client';
import { type OpsTarget, type Remediation, remediationResource } from '@tapline/resources';
import { whoAmI } from '../connection/who-am-i.ts';

/** Asks OpsBot for a run of a playbook; a person, and another one, has to approve it. */
export async function requestRemediation(
  { client, context }: { readonly client: ResourceClient; readonly context: KubeconfigContext },
  asked: {
    readonly playbook: string;
    readonly target: OpsTarget;
    readonly reason: string;
    readonly signal: AbortSignal;
  },
): Promise<Remediation> {
  const { playbook, target, reason, signal } = asked;
  if (reason.trim() === '') throw new TaplineError('usage', 'a request needs a reason');
  const requestedBy = await whoAmI(context, { signal });
  const name = `${playbook.slice(0, 200)}.${randomBytes(5).toString('hex')}`;
  return await client.create(
    remediationResource,
    { metadata: { name }, spec: { playbook, target, reason: reason.slice(0, 1024), requestedBy } },
    { signal },
  );
}
