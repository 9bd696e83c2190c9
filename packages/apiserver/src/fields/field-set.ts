/**
 * A set of fields of an object, as Kubernetes's FieldsV1 writes it: `f:name` a field, `k:{…}` an
 * item of a list by its keys, `v:…` an item of a set by its value, `.` the place itself.
 */
export interface FieldSet {
  /** Whether the place itself is in the set. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

export type FieldsV1 = { readonly [step: string]: FieldsV1 };

const noChildren: ReadonlyMap<string, FieldSet> = new Map();

export const emptySet: FieldSet = { member: false, children: noChildren };
export const leafSet: FieldSet = { member: true, children: noChildren };

export function isEmptySet(set: FieldSet): boolean {
  return !set.member && set.children.size === 0;
}

export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || a === b) return b;
  if (isEmptySet(b)) return a;
  if (a.children.size === 0 && b.children.size === 0) return leafSet;
  const children = new Map(a.children);
  for (const [step, child] of b.children) {
    const other = children.get(step);
    children.set(step, other === undefined ? child : unionOf(other, child));
  }
  return { member: a.member || b.member, children };
}

/** What is in `a` and not in `b`. */
export function differenceOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a;
  const children = new Map<string, FieldSet>();
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    const rest = other === undefined ? child : differenceOf(child, other);
    if (!isEmptySet(rest)) children.set(step, rest);
  }
  return { member: a.member && !b.member, children };
}

export function intersectionOf(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    if (other === undefined) continue;
    const common = intersectionOf(child, other);
    if (!isEmptySet(common)) children.set(step, common);
  }
  return { member: a.member && b.member, children };
}

/** What is in `set` and neither in `owned` nor holds anything of it. */
export function unownedOf(set: FieldSet, owned: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [step, child] of set.children) {
    const other = owned.children.get(step);
    const rest = other === undefined ? child : unownedOf(child, other);
    if (!isEmptySet(rest)) children.set(step, rest);
  }
  return { member: set.member && isEmptySet(owned), children };
}

export function encodeFields(set: FieldSet): FieldsV1 {
  const result: Record<string, FieldsV1> = {};
  if (set.member && set.children.size > 0) result['.'] = {};
  for (const [step, child] of set.children) result[step] = encodeFields(child);
  return result;
}

const maxDepth = 64;

/** Reads FieldsV1; what is not of its form is left out. */
export function decodeFields(fields: unknown, depth = 0): FieldSet {
  if (typeof fields !== 'object' || fields === null || depth > maxDepth) return emptySet;
  const children = new Map<string, FieldSet>();
  let member = false;
  let steps = 0;
  for (const [step, child] of Object.entries(fields)) {
    steps += 1;
    if (step === '.') member = true;
    else if (/^[fkv]:/.test(step)) {
      const below = decodeFields(child, depth + 1);
      if (!isEmptySet(below)) children.set(step, below);
    }
  }
  // A place without anything below it is a member, except the root.
  return { member: depth > 0 && (member || steps === 0), children };
}

/** The places in the set as Kubernetes writes paths: `.spec.rollout`, `.status.conditions[type="Ready"]`. */
export function pathsOf(set: FieldSet, prefix = ''): readonly string[] {
  const paths: string[] = set.member ? [prefix] : [];
  for (const [step, child] of set.children) paths.push(...pathsOf(child, prefix + stepText(step)));
  return paths;
}

function stepText(step: string): string {
  const rest = step.slice(2);
  if (step.startsWith('f:')) return `.${rest}`;
  if (step.startsWith('v:')) return `[=${rest}]`;
  return `[${rest.slice(1, -1).replaceAll(/"([^"]*)":/g, '$1=')}]`;
}
