import { fieldValue } from '@tapline/resources';
import type { AccessControl } from '../access/authorize.ts';
import type { RbacPolicy } from '../access/rbac-policy.ts';
import { type Identity, mastersGroup } from '../identity.ts';

/** Answers `kubectl auth can-i`, `auth can-i --list` and `auth whoami`; undefined: none of them. */
export function reviewAccess(
  resource: string,
  body: unknown,
  context: {
    readonly identity: Identity;
    readonly access: AccessControl;
    readonly policy: RbacPolicy;
  },
): Readonly<Record<string, unknown>> | undefined {
  const { identity, access, policy } = context;
  const spec = fieldValue(body, ['spec']) ?? {};
  switch (resource) {
    case 'selfsubjectaccessreviews':
      return {
        kind: 'SelfSubjectAccessReview',
        apiVersion: 'authorization.k8s.io/v1',
        metadata: { creationTimestamp: null },
        spec,
        status: accessStatus(spec, identity, access),
      };
    case 'selfsubjectrulesreviews':
      return {
        kind: 'SelfSubjectRulesReview',
        apiVersion: 'authorization.k8s.io/v1',
        metadata: { creationTimestamp: null },
        spec: {},
        status: rulesStatus(identity, policy),
      };
    case 'selfsubjectreviews':
      return {
        kind: 'SelfSubjectReview',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { creationTimestamp: null },
        status: { userInfo: { username: identity.user, groups: identity.groups } },
      };
    default:
      return undefined;
  }
}

function accessStatus(
  spec: unknown,
  identity: Identity,
  access: AccessControl,
): Readonly<Record<string, unknown>> {
  const text = (path: readonly string[]): string => {
    const value = fieldValue(spec, path);
    return typeof value === 'string' ? value : '';
  };
  const path = text(['nonResourceAttributes', 'path']);
  if (path !== '') {
    const verb = text(['nonResourceAttributes', 'verb']);
    return { allowed: access.allowsPath(identity, verb, path) };
  }
  const attribute = (name: string): string => text(['resourceAttributes', name]);
  const namespace = attribute('namespace');
  const name = attribute('name');
  return access.decide({
    identity,
    verb: attribute('verb'),
    group: attribute('group'),
    resource: attribute('resource'),
    subresource: attribute('subresource'),
    namespace: namespace === '' ? undefined : namespace,
    name: name === '' ? undefined : name,
    requiredField: undefined,
  });
}

function rulesStatus(identity: Identity, policy: RbacPolicy): Readonly<Record<string, unknown>> {
  const rules = identity.groups.includes(mastersGroup)
    ? [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
      ]
    : policy.rulesFor(identity).map(({ rule }) => rule);
  return {
    incomplete: false,
    resourceRules: rules.filter((rule) => !('nonResourceURLs' in rule)),
    nonResourceRules: rules.filter((rule) => 'nonResourceURLs' in rule),
  };
}
