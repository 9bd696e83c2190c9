import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Log, type Rng, silentLog, systemClock, systemRng } from '@tapline/base';
import type { HomebrewDomains } from '@tapline/brew';
import { type BlobStore, createHttpTransport } from '@tapline/registry';
import { createBottleCache } from './bottle-cache.ts';
import { buildImage, type BuildImageRequest } from './build-image.ts';
import type { BuiltImage } from './built-image.ts';
import type { FreeBytes } from './disk-admission.ts';
import { createLayerThreads } from './layer-threads.ts';
import { createDocumentCache } from './document-cache.ts';
import { freeBytes } from './free-bytes.ts';
import { loadHomebrewApiKey } from './homebrew-api-key.ts';
import { createHomebrewApi, type HomebrewApi } from './homebrew-api.ts';
import { createHttpSource } from './http-source.ts';
import { createProgramSandbox } from './post-install/program-sandbox.ts';
import { type ImagePlan, planImage } from './plan-image.ts';
import { createLayerCache } from './layer-cache.ts';

export interface ImageBuilderInit {
  /** Layers, configs and manifests go here. */
  readonly store: BlobStore;
  /** Bottles, API documents and what is known of layers; may be deleted at any time. */
  readonly cacheDirectory: string;
  readonly domains: HomebrewDomains;
  readonly token?: string;
  readonly basicToken?: string;
  readonly clock?: Clock;
  readonly rng?: Rng;
  readonly log?: Log;
  readonly freeBytes?: FreeBytes;
  /** Requests per resource; 5 unless given. */
  readonly attempts?: number;
  /** Longest silence of a mirror, in ms; 30 s unless given. */
  readonly timeoutMs?: number;
}

/** Builds packages into images; owns its connections. */
export interface ImageBuilder extends AsyncDisposable {
  readonly api: HomebrewApi;
  build(request: BuildImageRequest): Promise<BuiltImage>;
  /** What `build` would do; fetches no bottle and writes no layer. */
  plan(request: BuildImageRequest): Promise<ImagePlan>;
}

/** An image builder over real HTTP and disk. */
export function createImageBuilder(init: ImageBuilderInit): ImageBuilder {
  const { store, cacheDirectory, domains, timeoutMs = 30_000 } = init;
  const clock = init.clock ?? systemClock;
  const transport = createHttpTransport({ idleMs: timeoutMs });
  const source = createHttpSource({
    transport,
    clock,
    rng: init.rng ?? systemRng,
    log: init.log ?? silentLog,
    timeoutMs,
    ...(init.attempts !== undefined && { attempts: init.attempts }),
  });
  const api = createHomebrewApi({
    documents: createDocumentCache({ source, directory: join(cacheDirectory, 'api') }),
    domains,
    clock,
    key: loadHomebrewApiKey(domains.keyFile),
    ...(init.token !== undefined && { token: init.token }),
    ...(init.basicToken !== undefined && { basicToken: init.basicToken }),
  });
  const bottles = createBottleCache({
    source,
    directory: join(cacheDirectory, 'bottles'),
    headers: (url) => api.registryHeaders(url),
  });
  const threadCount = Math.min(availableParallelism(), 4);
  const threads = createLayerThreads({ threads: threadCount });
  const programs = createProgramSandbox({
    directory: join(cacheDirectory, 'sandbox'),
    clock,
    log: init.log ?? silentLog,
  });
  const layers = createLayerCache({ store, directory: join(cacheDirectory, 'layers') });
  return {
    api,
    plan: (request) => planImage({ api, bottles, layers }, request),
    build: (request) =>
      buildImage(
        {
          api,
          bottles,
          layers,
          store,
          threads,
          programs,
          clock,
          freeBytes: init.freeBytes ?? freeBytes,
          directory: cacheDirectory,
          downloads: 6,
          // While one waits for the disk, its thread makes the next.
          builds: threadCount * 2,
        },
        request,
      ),
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      await threads[Symbol.asyncDispose]();
    },
  };
}
