import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '@tapline/resources';
import type { Identity } from '../identity.ts';
import type { Attributes, Decision } from './authorizer.ts';

interface BoundRule {
  readonly rule: PolicyRule;
  readonly binding: string;
  readonly role: string;
}

/** Roles and bindings as they are now; who may do what is worked out when it is first asked. */
export class RbacPolicy {
  readonly #roles = new Map<string, ClusterRole>();
  readonly #bindings = new Map<string, ClusterRoleBinding>();
  #rules: ReadonlyMap<string, readonly BoundRule[]> | undefined;

  setRole(name: string, role: ClusterRole | undefined): void {
    if (role === undefined) this.#roles.delete(name);
    else this.#roles.set(name, role);
    this.#rules = undefined;
  }

  setBinding(name: string, binding: ClusterRoleBinding | undefined): void {
    if (binding === undefined) this.#bindings.delete(name);
    else this.#bindings.set(name, binding);
    this.#rules = undefined;
  }

  /** Forgets all there is: nobody may do anything by a role until it is read again. */
  clear(): void {
    this.#roles.clear();
    this.#bindings.clear();
    this.#rules = undefined;
  }

  decide(attributes: Attributes): Decision | undefined {
    for (const { rule, binding, role } of this.rulesFor(attributes.identity)) {
      if (allowsResource(rule, attributes)) {
        return {
          allowed: true,
          reason: `RBAC: allowed by ClusterRoleBinding "${binding}" of ClusterRole "${role}"`,
        };
      }
    }
    return undefined;
  }

  allowsPath(identity: Identity, verb: string, path: string): boolean {
    return this.rulesFor(identity).some(({ rule }) => allowsPath(rule, verb, path));
  }

  rulesFor({ user, groups }: Identity): readonly BoundRule[] {
    this.#rules ??= compile(this.#roles, this.#bindings);
    const found = [...(this.#rules.get(`User:${user}`) ?? [])];
    for (const group of groups) found.push(...(this.#rules.get(`Group:${group}`) ?? []));
    return found;
  }
}

function compile(
  roles: ReadonlyMap<string, ClusterRole>,
  bindings: ReadonlyMap<string, ClusterRoleBinding>,
): ReadonlyMap<string, readonly BoundRule[]> {
  const rules = new Map<string, BoundRule[]>();
  for (const [binding, { roleRef, subjects = [] }] of bindings) {
    const role = roles.get(roleRef.name);
    for (const { kind, name } of subjects) {
      const subject = `${kind}:${name}`;
      const own = rules.get(subject) ?? [];
      rules.set(subject, own);
      for (const rule of role?.rules ?? []) own.push({ rule, binding, role: roleRef.name });
    }
  }
  return rules;
}

function allowsResource(rule: PolicyRule, attributes: Attributes): boolean {
  const { verb, group, resource, subresource, name } = attributes;
  const { verbs, apiGroups = [], resources = [], resourceNames = [] } = rule;
  if (!verbs.includes('*') && !verbs.includes(verb)) return false;
  if (!apiGroups.includes('*') && !apiGroups.includes(group)) return false;
  if (!resources.some((one) => matchesResource(one, resource, subresource))) return false;
  return resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name));
}

function matchesResource(rule: string, resource: string, subresource: string): boolean {
  if (rule === '*') return true;
  const asked = subresource === '' ? resource : `${resource}/${subresource}`;
  return rule === asked || (subresource !== '' && rule === `*/${subresource}`);
}

function allowsPath(
  { verbs, nonResourceURLs = [] }: PolicyRule,
  verb: string,
  path: string,
): boolean {
  if (!verbs.includes('*') && !verbs.includes(verb)) return false;
  return nonResourceURLs.some((url) =>
    url.endsWith('*') ? path.startsWith(url.slice(0, -1)) : path === url,
  );
}
