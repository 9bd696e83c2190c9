import { isDeepStrictEqual } from 'node:util';
import { fieldValue } from '@tapline/resources';
import { apiError, invalid, notFound } from '../api-error.ts';
import type { Admission, AdmissionRequest } from '../engine/admission.ts';
import type { ServedKind } from '../served-kind.ts';
import type { AccessControl } from './authorize.ts';
import type { Attributes } from './authorizer.ts';

/**
 * What a write must not do although its schema and a role allow it: reach into a namespace that is
 * not there, or give somebody more than the writer may give.
 */
export function createAdmission(init: {
  readonly access: AccessControl;
  readonly namespaceKind: ServedKind | undefined;
  readonly segmentKind: ServedKind | undefined;
  readonly opsPolicyKind: ServedKind | undefined;
}): Admission {
  return (request) => {
    const { kind } = request;
    if (kind.namespaced && request.before === undefined) {
      checkNamespaceExists(request, init.namespaceKind);
    }
    if (kind.group === 'rbac.authorization.k8s.io') checkRoleWrite(request, init.access);
    if (kind.group === 'tapline.dev' && kind.plural === 'deliveries') {
      checkSegmentExists(request, init.segmentKind);
    }
    checkOpsEpoch(request, init.opsPolicyKind);
    if (kind.group === 'tapline.dev' && kind.plural === 'remediations') {
      checkRemediationWrite(request);
    }
    if (kind.group === 'tapline.dev' && kind.plural === 'tokens') {
      checkTokenWrite(request, init.access);
    }
  };
}

function checkNamespaceExists(
  { after, engine }: AdmissionRequest,
  namespaceKind: ServedKind | undefined,
): void {
  if (namespaceKind === undefined) return;
  const name = after.metadata.namespace ?? '';
  const namespace = engine.find(namespaceKind, undefined, name);
  if (namespace === undefined) throw notFound(namespaceKind, name);
  if (namespace.object.metadata.deletionTimestamp !== undefined) {
    throw apiError(
      'forbidden',
      `unable to create new content in namespace ${name} because it is being terminated`,
      { about: namespaceKind, name },
    );
  }
}

/** A program whose segment is not there would wait for it without an end. */
function checkSegmentExists(
  { kind, before, after, engine }: AdmissionRequest,
  segmentKind: ServedKind | undefined,
): void {
  const field = ['spec', 'segment', 'name'];
  const name = fieldValue(after, field);
  if (segmentKind === undefined || typeof name !== 'string') return;
  if (before !== undefined && fieldValue(before, field) === name) return;
  const segment = engine.find(segmentKind, undefined, name)?.object;
  const leases = fieldValue(segment, ['spec', 'vnis', 'size']) !== undefined;
  if (segment !== undefined && !leases) return;
  const why = segment === undefined ? 'does not exist' : 'leases to its children and has no ports';
  throw invalid(kind, after.metadata.name, [
    {
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(name)}: segment ${name} ${why}`,
      field: field.join('.'),
    },
  ]);
}

const epochAnnotation = 'ops.tapline.dev/epoch';

/**
 * What OpsBot writes bears the epoch of who led then. Once another leads, nothing of before arrives:
 * this is asked in the same turn in which the write is handed to the store.
 */
function checkOpsEpoch(
  { kind, before, after, engine }: AdmissionRequest,
  policyKind: ServedKind | undefined,
): void {
  const epoch = after.metadata.annotations?.[epochAnnotation];
  const isOld = before?.metadata.annotations?.[epochAnnotation] === epoch;
  if (policyKind === undefined || epoch === undefined || isOld) return;
  const policy = engine.find(policyKind, undefined, 'default')?.object;
  const current = Number(fieldValue(policy, ['status', 'epoch']) ?? 0);
  if (Number(epoch) >= current) return;
  throw apiError('forbidden', `epoch ${epoch.slice(0, 20)} is over: OpsBot leads with ${current}`, {
    about: kind,
    name: after.metadata.name,
  });
}

/** Only OpsBot begins by itself: what others ask for says who asks, and so waits for a person. */
function checkRemediationWrite({ kind, caller, before, after }: AdmissionRequest): void {
  const { user, groups, via } = caller.identity;
  const isOpsBot = via === 'internal' || groups.includes('tapline:opsbot');
  const issue = (message: string, field: string): Error =>
    invalid(kind, after.metadata.name, [{ reason: 'FieldValueInvalid', message, field }]);
  if (before !== undefined && !isDeepStrictEqual(before['spec'], after['spec'])) {
    throw issue('what is remediated does not change: ask for another one', 'spec');
  }
  if (isOpsBot) return;
  if (before !== undefined && !isDeepStrictEqual(before['status'], after['status'])) {
    throw apiError(
      'forbidden',
      `user ${JSON.stringify(user)} is not OpsBot, who alone says how a remediation stands`,
    );
  }
  if (before === undefined && fieldValue(after, ['spec', 'requestedBy']) !== user) {
    throw issue(`has to be who asks: ${JSON.stringify(user)}`, 'spec.requestedBy');
  }
}

/** Kubernetes's escalate and bind: whoever lacks them could give themselves any role. */
function checkRoleWrite(
  { kind, caller, before, after }: AdmissionRequest,
  access: AccessControl,
): void {
  const { name } = after.metadata;
  const roleRef = after['roleRef'];
  if (before !== undefined && !isDeepStrictEqual(before['roleRef'], roleRef)) {
    throw invalid(kind, name, [
      { reason: 'FieldValueInvalid', message: 'cannot change roleRef', field: 'roleRef' },
    ]);
  }
  const binds = kind.plural === 'clusterrolebindings';
  const role = binds ? String(fieldValue(roleRef, ['name'])) : name;
  demand(access, caller.identity, {
    verb: binds ? 'bind' : 'escalate',
    group: kind.group,
    resource: 'clusterroles',
    name: role,
  });
}

/** An access token speaks for its user and groups: only who may impersonate them may make one. */
function checkTokenWrite({ caller, before, after }: AdmissionRequest, access: AccessControl): void {
  if (fieldValue(after, ['spec', 'purpose']) !== 'Access') return;
  if (before !== undefined && isDeepStrictEqual(before['spec'], after['spec'])) return;
  const { identity } = caller;
  const user = fieldValue(after, ['spec', 'user']);
  const groups = fieldValue(after, ['spec', 'groups']) ?? [];
  if (typeof user === 'string' && user !== identity.user) {
    demand(access, identity, { verb: 'impersonate', group: '', resource: 'users', name: user });
  }
  for (const group of Array.isArray(groups) ? groups : []) {
    if (identity.groups.includes(String(group))) continue;
    demand(access, identity, {
      verb: 'impersonate',
      group: '',
      resource: 'groups',
      name: String(group),
    });
  }
}

function demand(
  access: AccessControl,
  identity: Attributes['identity'],
  wanted: Pick<Attributes, 'verb' | 'group' | 'resource' | 'name'>,
): void {
  const decision = access.decide({
    ...wanted,
    identity,
    subresource: '',
    namespace: undefined,
    requiredField: undefined,
  });
  if (decision.allowed) return;
  throw apiError(
    'forbidden',
    `user ${JSON.stringify(identity.user)} cannot ${wanted.verb} ${wanted.resource} ${JSON.stringify(wanted.name)}, which this write takes: ${decision.reason}`,
  );
}
