import { isRecord } from '@tapline/base';
import { badRequest } from '../api-error.ts';
import { setOwn } from '../fields/merge-fields.ts';

/**
 * Kubernetes's strategic merge patch, for its own kinds only. Of the kinds served here, the lists
 * that merge are metadata's: finalizers by value and ownerReferences by uid; all others are atomic.
 */
export function strategicMergePatch(target: unknown, patch: unknown): unknown {
  return mergeMap(target, patch, '');
}

function mergeMap(target: unknown, patch: unknown, path: string): unknown {
  if (!isRecord(patch)) return patch;
  const directive = patch['$patch'];
  if (directive === 'delete') return undefined;
  if (directive !== undefined && directive !== 'replace' && directive !== 'merge') {
    throw badRequest(`$patch at ${path || 'the root'} must be replace, merge or delete`);
  }
  const base = directive === 'replace' || !isRecord(target) ? {} : target;
  const result: Record<string, unknown> = { ...base };
  retainOnly(result, patch['$retainKeys']);
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$')) continue;
    const below = path === '' ? name : `${path}.${name}`;
    if (value === null) Reflect.deleteProperty(result, name);
    else {
      const current = Object.hasOwn(result, name) ? result[name] : undefined;
      const merged = Array.isArray(value)
        ? mergeList(current, value, below)
        : mergeMap(current, value, below);
      if (merged === undefined) Reflect.deleteProperty(result, name);
      else setOwn(result, name, merged);
    }
  }
  for (const [name, values] of Object.entries(patch)) {
    const [, list] = /^\$deleteFromPrimitiveList\/(.+)$/.exec(name) ?? [];
    const current = list === undefined ? undefined : result[list];
    if (list !== undefined && Array.isArray(current) && Array.isArray(values)) {
      setOwn(
        result,
        list,
        current.filter((item) => !values.includes(item)),
      );
    }
  }
  return result;
}

function retainOnly(result: Record<string, unknown>, keys: unknown): void {
  if (!Array.isArray(keys)) return;
  for (const name of Object.keys(result)) {
    if (!keys.includes(name)) Reflect.deleteProperty(result, name);
  }
}

function mergeList(current: unknown, patch: readonly unknown[], path: string): readonly unknown[] {
  const live: readonly unknown[] = Array.isArray(current) ? current : [];
  if (path === 'metadata.finalizers') return [...new Set([...live, ...patch])];
  if (path === 'metadata.ownerReferences') return mergeByUid(live, patch);
  return patch;
}

function mergeByUid(live: readonly unknown[], patch: readonly unknown[]): readonly unknown[] {
  const items = new Map<unknown, unknown>();
  for (const item of live) items.set(isRecord(item) ? item['uid'] : item, item);
  for (const item of patch) {
    const uid = isRecord(item) ? item['uid'] : item;
    if (isRecord(item) && item['$patch'] === 'delete') items.delete(uid);
    else items.set(uid, mergeMap(items.get(uid), item, 'metadata.ownerReferences'));
  }
  return [...items.values()];
}
