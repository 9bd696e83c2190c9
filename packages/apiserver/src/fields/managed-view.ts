import type { AnyObject } from '../any-object.ts';
import type { ServedKind } from '../served-kind.ts';

/** What of an object managers own: not its identity, nor what the server keeps about it. */
export function managedView(
  kind: ServedKind,
  object: AnyObject,
  subresource: string | undefined,
): Readonly<Record<string, unknown>> {
  if (kind.hasStatus && subresource === 'status') {
    return object['status'] === undefined ? {} : { status: object['status'] };
  }
  const { apiVersion: _apiVersion, kind: _kind, metadata, status, ...rest } = object;
  const fields = kind.hasStatus || status === undefined ? rest : { ...rest, status };
  const { labels, annotations, finalizers, ownerReferences, generateName } = metadata;
  const owned = { labels, annotations, finalizers, ownerReferences, generateName };
  const set = Object.fromEntries(
    Object.entries(owned).filter(
      ([, value]) => value !== undefined && (typeof value !== 'object' || !isEmpty(value)),
    ),
  );
  return Object.keys(set).length === 0 ? fields : { metadata: set, ...fields };
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
