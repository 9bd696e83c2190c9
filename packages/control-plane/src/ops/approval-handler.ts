import type { ConnectHandler, Identity } from '@tapline/apiserver';
import { type Clock, isTaplineError, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { deviceOfUser } from '@tapline/gateway';
import {
  type Remediation,
  type RemediationApproval,
  remediationResource,
} from '@tapline/resources';

/** Groups of what is no person: programs that ask for things, and replicas of OpsBot. */
const noPersons = new Set(['tapline:tool', 'tapline:opsbot', 'system:devices', 'system:nodes']);
const maxApprovals = 32;
const maxReason = 1024;
const maxAttempts = 20;

/** What a person says of a plan with this digest, and of no other. */
export type GiveApproval = (
  identity: Identity,
  about: {
    readonly name: string;
    readonly decision: RemediationApproval['decision'];
    readonly digest: string;
    readonly reason?: string | undefined;
  },
) => Promise<Remediation>;

/** Whether what is approved still is what would be done is looked at once more before anything is. */
export function createGiveApproval(init: {
  readonly client: ResourceClient;
  readonly clock: Clock;
}): GiveApproval {
  const { client, clock } = init;

  return async (identity, { name, decision, digest, reason }) => {
    checkPerson(identity);
    const given: Omit<RemediationApproval, 'at'> = {
      user: identity.user,
      decision,
      digest,
      ...(reason !== undefined && reason !== '' && { reason: reason.slice(0, maxReason) }),
    };
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const found = await client.get(remediationResource, name);
      checkAwaited(found, given);
      const approvals = [
        ...(found.status?.approvals ?? []).filter(({ user }) => user !== given.user),
        { ...given, at: new Date(clock.now()).toISOString() },
      ].slice(-maxApprovals);
      try {
        const status = { ...found.status, approvals };
        return await client.updateStatus(remediationResource, { ...found, status });
      } catch (error) {
        if (!isTaplineError(error, 'conflict')) throw error;
      }
    }
    throw new TaplineError('conflict', `remediation ${name} changes all the time; try again`);
  };
}

/** Serves `remediations/approve`. */
export function createApprovalHandler(give: GiveApproval): ConnectHandler {
  return {
    verb: 'create',
    detail: (query) => `${query.get('decision') ?? ''} ${query.get('digest')?.slice(0, 64) ?? ''}`,
    async handle({ identity, object, query, request }, response) {
      if (request.method !== 'POST') {
        throw new TaplineError('bad_request', 'an approval is sent with POST');
      }
      const approved = await give(identity, {
        name: object.metadata.name,
        decision: decisionOf(query.get('decision')),
        digest: query.get('digest') ?? '',
        reason: query.get('reason') ?? undefined,
      });
      const body = Buffer.from(JSON.stringify(approved));
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': body.length,
        'cache-control': 'no-store',
      });
      response.end(body);
    },
  };
}

function decisionOf(text: string | null): RemediationApproval['decision'] {
  if (text === 'Approved' || text === 'Rejected') return text;
  throw new TaplineError(
    'bad_request',
    `decision ${JSON.stringify(text)} is neither Approved nor Rejected`,
  );
}

/** Whatever its role says: no program can approve. */
function checkPerson({ user, groups, via }: Identity): void {
  const group = groups.find((one) => noPersons.has(one));
  const isPerson =
    (via === 'certificate' || via === 'token' || via === 'chat') &&
    group === undefined &&
    deviceOfUser(user) === undefined;
  if (isPerson) return;
  throw new TaplineError(
    'forbidden',
    `${user} is no person${group === undefined ? '' : `, but in the group ${group}`}: only people approve`,
  );
}

function checkAwaited(
  { metadata, spec, status }: Remediation,
  { user, digest, decision }: Omit<RemediationApproval, 'at'>,
): void {
  const { name } = metadata;
  const step = status?.plan?.findIndex((_, at) => status.steps?.[at]?.state !== 'Done') ?? -1;
  const isInside =
    status?.phase === 'Running' && status.plan?.[step]?.action === 'wait-for-approval';
  if (status?.phase !== 'AwaitingApproval' && !isInside) {
    throw new TaplineError(
      'conflict',
      `remediation ${name} waits for no approval: it is ${status?.phase ?? 'not planned yet'}`,
    );
  }
  if (status.digest !== digest) {
    throw new TaplineError(
      'conflict',
      `remediation ${name} would now do something else than what was approved: its digest is ${status.digest ?? 'none'}, and ${JSON.stringify(digest.slice(0, 64))} was given`,
      { hint: 'look at its plan again' },
    );
  }
  if (decision === 'Approved' && spec.requestedBy === user) {
    throw new TaplineError('forbidden', `${user} asked for it, so somebody else has to approve it`);
  }
}
