import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '@tapline/base';
import { openjdkOf, relocatorVersion } from '@tapline/brew';
import type { BlobStore } from '@tapline/registry';
import { type Compression, compressorId } from './compression.ts';
import type { LayerRecord } from './layer-record.ts';
import type { PlannedBottle } from './package-plan.ts';

/** Raised whenever the form of {@link LayerRecord} changes. */
const recordVersion = 2;

/** What is known of layers that were built, here or by an earlier process. */
export interface LayerCache {
  /** The layer of a bottle, where it is known and its blob is in the store. */
  find(bottle: PlannedBottle, compression: Compression): Promise<LayerRecord | undefined>;
  save(
    bottle: PlannedBottle,
    made: { readonly compression: Compression; readonly record: LayerRecord },
  ): Promise<void>;
  /** `work` while no other work on the layer is under way in this process. */
  exclusively<T>(
    bottle: PlannedBottle,
    compression: Compression,
    work: () => Promise<T>,
  ): Promise<T>;
}

export function createLayerCache(init: {
  readonly store: BlobStore;
  readonly directory: string;
}): LayerCache {
  const { store, directory } = init;
  const pathOf = (bottle: PlannedBottle, compression: Compression): string =>
    join(directory, `${layerKey(bottle, compression)}.json`);
  const underWay = new Map<string, Promise<unknown>>();
  return {
    async exclusively(bottle, compression, work) {
      const key = layerKey(bottle, compression);
      while (underWay.has(key)) await underWay.get(key)?.catch(() => undefined);
      const running = work();
      underWay.set(key, running);
      try {
        return await running;
      } finally {
        underWay.delete(key);
      }
    },
    async find(bottle, compression) {
      const record = await readRecord(pathOf(bottle, compression));
      if (record === undefined) return undefined;
      const blobs = [record.digest, record.fileIndex.digest];
      const there = await Promise.all(blobs.map((digest) => store.has(digest)));
      return there.every(Boolean) ? record : undefined;
    },
    async save(bottle, { compression, record }) {
      await mkdir(directory, { recursive: true });
      const path = pathOf(bottle, compression);
      const partial = `${path}.${randomUUID()}`;
      await writeFile(partial, JSON.stringify(record));
      await rename(partial, path);
    },
  };
}

/** All that the bytes of a layer depend on; which image it is for does not. */
function layerKey(
  { digest, formula, pkgVersion, tab }: PlannedBottle,
  compression: Compression,
): string {
  const dependencies = tab?.runtimeDependencies?.map(({ name }) => name) ?? formula.dependencies;
  const key = [
    recordVersion,
    relocatorVersion,
    compressorId[compression],
    digest,
    formula.name,
    pkgVersion,
    openjdkOf(dependencies) ?? null,
    // A bottle's own receipt is part of its digest.
    tab === undefined
      ? 'receipt'
      : ((tab.changedFiles && [...tab.changedFiles].toSorted()) ?? null),
  ];
  return createHash('sha256').update(JSON.stringify(key)).digest('hex');
}

async function readRecord(path: string): Promise<LayerRecord | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LayerRecord;
  } catch (error) {
    const isMissing = isSystemError(error, 'ENOENT');
    // Cut short by a power failure: the layer is built again, to the same bytes.
    if (isMissing || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
