/** What a URL's path is about. */
export type RequestPath =
  | { readonly kind: 'other'; readonly path: string }
  | {
      readonly kind: 'resource';
      readonly group: string;
      readonly version: string;
      readonly namespace: string | undefined;
      readonly plural: string;
      readonly name: string | undefined;
      readonly subresource: string | undefined;
    };

/**
 * Splits `/api/v1/…` and `/apis/<group>/<version>/…`. Undefined where an escape in the path is
 * malformed; what is no resource is `other`, discovery documents among them.
 */
export function parseRequestPath(path: string): RequestPath | undefined {
  const steps = path.split('/');
  const isCore = steps[1] === 'api';
  if (!isCore && steps[1] !== 'apis') return { kind: 'other', path };
  const first = isCore ? 3 : 4;
  if (steps.length <= first || steps[first] === '') return { kind: 'other', path };
  const group = isCore ? '' : (steps[2] ?? '');
  const version = (isCore ? steps[2] : steps[3]) ?? '';
  let rest = steps.slice(first);
  if (path.includes('%')) {
    try {
      rest = rest.map((step) => decodeURIComponent(step));
    } catch {
      // Not an escape of UTF-8: the caller answers that the path is malformed.
      return undefined;
    }
  }
  // `namespaces/x/installs/y` is scoped; `namespaces/x` and `namespaces/x/status` are the kind.
  const scoped = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status';
  const [plural = '', name, subresource, ...deeper] = scoped ? rest.slice(2) : rest;
  if (deeper.length > 0 || name === '' || subresource === '') return { kind: 'other', path };
  const namespace = scoped ? rest[1] : undefined;
  return { kind: 'resource', group, version, namespace, plural, name, subresource };
}
