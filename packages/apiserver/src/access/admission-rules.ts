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
