import { TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Remediation, remediationResource } from '@tapline/resources';
import type { Connection } from '../connection/connect.ts';
import { sendJson } from '../connection/send-json.ts';

/** The whole digest where `start` is the beginning of the one that a remediation has now. */
async function digestOf(
  client: ResourceClient,
  {
    name,
    start,
    signal,
  }: { readonly name: string; readonly start: string; readonly signal: AbortSignal },
): Promise<string> {
  const { status } = await client.get(remediationResource, name, { signal });
  if (start.length >= 8 && status?.digest?.startsWith(start) === true) return status.digest;
  throw new TaplineError(
    'conflict',
    `what remediation ${name} would do has the digest ${status?.digest?.slice(0, 12) ?? 'none yet'}, and ${JSON.stringify(start)} was given`,
    { hint: `look at it again with tapline ops show ${name}` },
  );
}

/** Says yes or no to just what was shown. */
export async function sendApproval(
  { client, context }: Connection,
  given: {
    readonly name: string;
    readonly digest: string;
    readonly decision: 'Approved' | 'Rejected';
    readonly reason: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Remediation> {
  const { name, decision, reason, signal } = given;
  const digest = await digestOf(client, { name, start: given.digest, signal });
  const query = new URLSearchParams({ decision, digest, ...(reason !== undefined && { reason }) });
  const path = `/apis/tapline.dev/v1alpha1/remediations/${encodeURIComponent(name)}/approve?${query.toString()}`;
  return (await sendJson(context, { path, body: {} }, { signal })) as Remediation;
}
