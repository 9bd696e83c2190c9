import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest } from '@tapline/oci';
import type { CollectionReport, CollectOptions, HoldReason } from '../admin/registry-admin.ts';
import type { RegistryState } from '../protocol/exchange.ts';
import { collectContent } from './collect-content.ts';
import { planManifests } from './plan-manifests.ts';

/** Blobs that are looked at in one turn of the event loop: requests wait no longer than for these. */
const pageSize = 200;

export type CollectState = Pick<
  RegistryState,
  'blobs' | 'catalog' | 'uploads' | 'manifests' | 'graceMs' | 'clock'
>;

/** What a collection has found so far. */
export interface Tally {
  manifests: number;
  links: number;
  blobs: number;
  bytes: number;
  readonly held: Record<HoldReason, { blobs: number; bytes: number }>;
  readonly digests: Digest[];
  /** Content that was, or would be, taken out of so many repositories. */
  readonly unlinked: Map<Digest, number>;
}

/**
 * Removes what nothing refers to, while the registry serves: manifests first where asked for, then
 * the blobs of repositories that no manifest needs, then content that no repository has. Each step
 * is decided again where it is carried out, in the same commit, so that a push that comes in between
 * wins.
 */
export async function collectGarbage(
  given: CollectState,
  options: CollectOptions & { readonly isInUse: (repository: string, digest: Digest) => boolean },
): Promise<CollectionReport> {
  const state = { ...given, graceMs: options.graceMs ?? given.graceMs };
  const { clock, uploads } = state;
  const { dryRun = false, untagged = false, signal } = options;
  const startMs = clock.monotonic();
  const tally: Tally = {
    manifests: 0,
    links: 0,
    blobs: 0,
    bytes: 0,
    digests: [],
    unlinked: new Map(),
    held: {
      recent: { blobs: 0, bytes: 0 },
      upload: { blobs: 0, bytes: 0 },
      'in-use': { blobs: 0, bytes: 0 },
    },
  };
  const idle = dryRun ? uploads.idle() : await uploads.dropIdle();
  /** For a dry run: what manifests that would stay need, where some would go. */
  const stillNeeded = new Map<string, ReadonlySet<Digest>>();
  if (untagged) {
    for (const repository of repositories(state)) {
      signal?.throwIfAborted();
      const gone = await collectManifests(state, repository, { ...options, tally });
      if (dryRun && gone.size > 0) {
        const staying = state.catalog.needs(repository).filter((need) => !gone.has(need.manifest));
        stillNeeded.set(repository, new Set(staying.map(({ digest }) => digest)));
      }
      await nextTurn();
    }
  }
  await collectLinks(state, { ...options, tally, stillNeeded });
  await collectContent(state, { dryRun, signal, tally });
  return {
    dryRun,
    durationMs: clock.monotonic() - startMs,
    manifests: tally.manifests,
    links: tally.links,
    blobs: tally.blobs,
    bytes: tally.bytes,
    uploads: idle,
    held: Object.entries(tally.held)
      .filter(([, { blobs }]) => blobs > 0)
      .map(([reason, held]) => ({ reason: reason as HoldReason, ...held })),
    digests: tally.digests,
  };
}

function noteUnlinked({ unlinked }: Tally, digest: Digest): void {
  unlinked.set(digest, (unlinked.get(digest) ?? 0) + 1);
}

function* repositories({ catalog }: CollectState): Generator<string> {
  let last = '';
  for (;;) {
    const page = catalog.repositories({ last, limit: pageSize });
    for (const { name } of page) yield name;
    if (page.length < pageSize) return;
    last = page.at(-1)?.name ?? last;
  }
}

async function collectManifests(
  state: CollectState,
  repository: string,
  options: {
    readonly dryRun?: boolean;
    readonly tally: Tally;
    readonly isInUse: (repository: string, digest: Digest) => boolean;
  },
): Promise<ReadonlySet<Digest>> {
  const { blobs, catalog, clock, graceMs, manifests: cache, uploads } = state;
  const { dryRun = false, isInUse, tally } = options;
  if (uploads.isReceiving(repository)) return new Set();
  const before = Math.floor(clock.now()) - graceMs + 1;
  const digests = planManifests({
    manifests: catalog.manifests(repository),
    needs: catalog.needs(repository),
    before,
    isInUse: (digest) =>
      isInUse(repository, digest) || blobs.leases.wasTouchedWithin(digest, graceMs),
  });
  // Parents come first in the plan: what an index needs is free once the index is gone.
  for (const digest of digests) {
    noteUnlinked(tally, digest);
    tally.manifests += dryRun
      ? 1
      : await catalog.write({ kind: 'collect-manifests', repository, digests: [digest], before });
  }
  if (!dryRun && digests.length > 0) cache.forget(repository);
  return new Set(digests);
}

async function collectLinks(
  state: CollectState,
  options: {
    readonly dryRun?: boolean;
    readonly signal?: AbortSignal;
    readonly tally: Tally;
    readonly stillNeeded: ReadonlyMap<string, ReadonlySet<Digest>>;
  },
): Promise<void> {
  const { blobs, catalog, clock, graceMs, uploads } = state;
  const { dryRun = false, signal, stillNeeded, tally } = options;
  let after = { repository: '', digest: '' };
  for (;;) {
    signal?.throwIfAborted();
    const page = catalog.blobs(after, pageSize);
    const before = Math.floor(clock.now()) - graceMs + 1;
    const found = new Map<string, Digest[]>();
    for (const { repository, digest, size, touched, isNeeded } of page) {
      if (stillNeeded.get(repository)?.has(digest) ?? isNeeded) continue;
      const reason = heldBy();
      if (reason !== undefined) {
        tally.held[reason].blobs += 1;
        tally.held[reason].bytes += size;
        continue;
      }
      noteUnlinked(tally, digest);
      found.set(repository, [...(found.get(repository) ?? []), digest]);

      function heldBy(): HoldReason | undefined {
        if (blobs.leases.isHeld(digest)) return 'in-use';
        if (uploads.isReceiving(repository)) return 'upload';
        const isRecent = touched >= before || blobs.leases.wasTouchedWithin(digest, graceMs);
        return isRecent ? 'recent' : undefined;
      }
    }
    for (const [repository, digests] of found) {
      tally.links += dryRun
        ? digests.length
        : await catalog.write({ kind: 'collect-blobs', repository, digests, before });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = { repository: last.repository, digest: last.digest };
    await nextTurn();
  }
}
