/**
 * Orders two resourceVersions: negative when `a` is older. They are decimal counters of one store,
 * which Kubernetes promises since 1.35 (KEP-5504); an absent one is older than all.
 */
export function compareRevisions(a: string | undefined, b: string | undefined): number {
  const left = a ?? '';
  const right = b ?? '';
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
