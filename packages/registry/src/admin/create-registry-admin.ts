import { TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { collectGarbage } from '../collect/collect-garbage.ts';
import type { RegistryState } from '../protocol/exchange.ts';
import type { BlobReplica } from '../scrub/blob-replica.ts';
import { scrubBlobs } from '../scrub/scrub-blobs.ts';
import type { CollectOptions, RegistryAdmin } from './registry-admin.ts';

const defaultPage = 100;
const maxPage = 1000;

export function createRegistryAdmin(
  state: RegistryState,
  init: {
    readonly replicas: () => readonly BlobReplica[];
    readonly isInUse: (repository: string, digest: Digest) => boolean;
  },
): RegistryAdmin {
  const { audit, blobs, catalog, clock, manifests, observer, space, uploads } = state;
  let isCollecting = false;

  async function collect(options: CollectOptions): ReturnType<RegistryAdmin['collect']> {
    const report = await collectGarbage(state, { ...options, isInUse: init.isInUse });
    if (report.dryRun) return report;
    observer.collected(report);
    await audit({
      request: undefined,
      verb: 'collect',
      what: 'content',
      repository: undefined,
      reference: undefined,
      code: 200,
      reason: `removed ${report.manifests} manifests, ${report.links} blobs from repositories, ${report.blobs} contents with ${report.bytes} bytes, ${report.uploads} uploads`,
    });
    return report;
  }

  return {
    repositories({ last = '', limit = defaultPage } = {}) {
      const size = Math.min(Math.max(limit, 1), maxPage);
      const found = catalog.repositories({ last, limit: size + 1 });
      const repositories = found.slice(0, size);
      const next = found.length > size ? repositories.at(-1)?.name : undefined;
      return Promise.resolve({ repositories, ...(next !== undefined && { next }) });
    },

    async usage() {
      const { contents, bytes, ...counts } = catalog.counts();
      const { count, bytes: uploadBytes } = await uploads.usage();
      return {
        ...counts,
        blobs: contents,
        bytes,
        uploads: count,
        uploadBytes,
        freeBytes: await space.available(),
        quotas: catalog.quotas.map((quota) => ({
          ...quota,
          usedBytes: catalog.usedBytes(quota),
        })),
      };
    },

    async collect(options = {}) {
      if (isCollecting) {
        throw new TaplineError('collection_running', 'a garbage collection is running already', {
          hint: 'wait for its end',
        });
      }
      isCollecting = true;
      try {
        return await collect(options);
      } finally {
        isCollecting = false;
      }
    },

    async *scrub({ repair = false, signal } = {}) {
      const events = scrubBlobs({
        blobs,
        clock,
        served: {
          contents: (after, limit) => catalog.contents(after, limit),
          repositoriesOf: (digest, limit) => catalog.repositoriesOf(digest, limit),
          total: () => catalog.counts(),
        },
        replicas: repair ? init.replicas() : [],
        onChange: (repositories) => {
          for (const repository of repositories) manifests.forget(repository);
        },
        ...(signal !== undefined && { signal }),
      });
      for await (const event of events) {
        observer.scrubbed(event);
        if (event.kind === 'damaged' || event.kind === 'missing') {
          await audit({
            request: undefined,
            verb: 'scrub',
            what: 'content',
            repository: event.repositories[0],
            reference: event.digest,
            code: 200,
            reason: `${event.kind}, ${event.outcome}`,
          });
        }
        yield event;
      }
    },
  };
}
