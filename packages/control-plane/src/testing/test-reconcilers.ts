import { seededRng, silentLog, systemClock } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type ControlPlaneMetrics, createMetrics } from '../metrics.ts';
import type { PackageSource } from '../package/package-source.ts';
import { type Reconcilers, startReconcilers } from '../start-reconcilers.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/** Has every package at once, in the version that is asked for. */
export const immediateSource: PackageSource = {
  build: ({ formula, version = '1.0', platforms }) =>
    Promise.resolve({
      version,
      repository: formula,
      digest,
      images: platforms.map((platform) => ({
        platform,
        digest,
        sizeBytes: 10,
        unpackedBytes: 20,
        layers: 1,
      })),
      failures: [],
      stages: {},
    }),
};

const emptySource: PackageSource = {
  build: () => Promise.reject(new Error('nothing is built here')),
};

export function createTestMetrics(): ControlPlaneMetrics {
  return createMetrics({
    version: '0.0.0',
    storeRevision: () => 0,
    connectedDevices: () => 0,
    queueDepths: () => ({}),
    registryUsage: () => undefined,
  });
}

/** All reconcilers, with settings that no test waits for; nothing is built unless a source is given. */
export function startTestReconcilers(
  client: ResourceClient,
  {
    source = emptySource,
    metrics = createTestMetrics(),
  }: { readonly source?: PackageSource; readonly metrics?: ControlPlaneMetrics } = {},
): Reconcilers {
  return startReconcilers({
    client,
    source,
    metrics,
    clock: systemClock,
    rng: seededRng(1),
    log: silentLog,
    packageMaxAgeMs: 900_000,
    buildConcurrency: 2,
    eventTtlMs: 3_600_000,
    tokenGraceMs: 0,
    vtepPrefix: '100.112.0.0/12',
    keyRotationMs: 3_600_000,
    profileUrl: () => undefined,
  });
}
