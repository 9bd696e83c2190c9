import type { Digest } from '@tapline/oci';
import type { ManifestRow } from '../catalog/catalog.ts';

/**
 * Which manifests of a repository nobody can get at any more: those without a tag that are not part
 * of one that stays, do not have one that stays as their subject, are not in use and were not touched
 * at or after `before`. Manifests come before what they need.
 */
export function planManifests(repository: {
  readonly manifests: readonly ManifestRow[];
  readonly needs: readonly { readonly manifest: Digest; readonly digest: Digest }[];
  readonly before: number;
  readonly isInUse: (digest: Digest) => boolean;
}): readonly Digest[] {
  const { manifests, before, isInUse } = repository;
  const needsOf = groups(repository.needs, ({ manifest, digest }) => [manifest, digest]);
  const referrersOf = groups(
    manifests.flatMap(({ subjects, digest }) => subjects.map((subject) => ({ subject, digest }))),
    ({ subject, digest }) => [subject, digest],
  );
  const staying = new Set<Digest>();
  const pending = manifests
    .filter(({ digest, isTagged, touched }) => isTagged || touched >= before || isInUse(digest))
    .map(({ digest }) => digest);
  for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
    if (staying.has(digest)) continue;
    staying.add(digest);
    pending.push(...(needsOf.get(digest) ?? []), ...(referrersOf.get(digest) ?? []));
  }
  const going = new Set(
    manifests.map(({ digest }) => digest).filter((digest) => !staying.has(digest)),
  );
  // How many manifests that go need each: one is taken out when nothing needs it any more.
  const parents = new Map<Digest, number>();
  for (const manifest of going) {
    for (const needed of needsOf.get(manifest) ?? []) {
      if (going.has(needed)) parents.set(needed, (parents.get(needed) ?? 0) + 1);
    }
  }
  const ordered = [...going].filter((digest) => !parents.has(digest));
  for (const digest of ordered) {
    for (const needed of needsOf.get(digest) ?? []) {
      const left = (parents.get(needed) ?? 0) - 1;
      parents.set(needed, left);
      if (left === 0) ordered.push(needed);
    }
  }
  return ordered;
}

function groups<T>(
  items: readonly T[],
  pair: (item: T) => readonly [Digest, Digest],
): ReadonlyMap<Digest, readonly Digest[]> {
  const found = new Map<Digest, Digest[]>();
  for (const item of items) {
    const [key, value] = pair(item);
    const group = found.get(key);
    if (group === undefined) found.set(key, [value]);
    else group.push(value);
  }
  return found;
}
