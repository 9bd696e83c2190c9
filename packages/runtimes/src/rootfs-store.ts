import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isSystemError, type Log, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { isPlainStack } from './is-plain-stack.ts';
import type { LayerIndex } from './layer-index.ts';
import type { LayerStore } from './layer-store.ts';
import { makeDirectory } from './make-directory.ts';
import { mergeLayers } from './merge-layers.ts';
import { isOverlay, mountOverlay, overlayOptions, unmountOverlay } from './overlay-mount.ts';

/** A root file system that is laid out. */
export interface Rootfs {
  readonly image: Digest;
  readonly path: string;
  readonly layers: readonly Digest[];
  readonly method: RootfsMethod;
}

/** How files of layers come together: links need no privileges, a mount takes a sixth of the time. */
export type RootfsMethod = 'links' | 'overlay';

interface RootfsRecord {
  readonly image: Digest;
  readonly layers: readonly Digest[];
  readonly method: RootfsMethod;
}

/**
 * Root file systems put together from layers without copying a file. As trees of hard links they
 * need no privileges, survive a reboot and leak no mounts; as read-only overlay mounts they are laid
 * out faster, and again after a reboot. Stacks with whiteouts, and those too deep for one mount, are
 * always links. Files share their inode with the layer, so nothing may write to them: runtimes mount
 * the root read-only. A root file system is there as a whole or not at all.
 */
export class RootfsStore {
  readonly #directory: string;
  readonly #partial: string;
  readonly #base: string;
  readonly #layers: LayerStore;
  readonly #method: RootfsMethod;
  readonly #preparing = new Map<Digest, Promise<Rootfs>>();
  readonly #records = new Map<string, RootfsRecord>();

  private constructor(
    directory: string,
    options: { readonly layers: LayerStore; readonly method: RootfsMethod },
  ) {
    this.#directory = join(directory, 'rootfs');
    this.#base = join(directory, 'rootfs-base');
    this.#partial = join(directory, 'rootfs-partial');
    this.#layers = options.layers;
    this.#method = options.method;
  }

  /** `directory` is that of `layers`, or another on the same file system; one process owns it. */
  static async open(
    directory: string,
    options: {
      readonly layers: LayerStore;
      readonly log: Log;
      /** `links` unless given; `overlay` needs root. */
      readonly method?: RootfsMethod;
    },
  ): Promise<RootfsStore> {
    const { layers: layerStore, method = 'links' } = options;
    const store = new RootfsStore(directory, { layers: layerStore, method });
    await rm(store.#partial, { recursive: true, force: true });
    await mkdir(store.#partial, { recursive: true, mode: 0o711 });
    await mkdir(store.#directory, { recursive: true, mode: 0o711 });
    await Promise.all(
      mountPoints.map((path) => mkdir(join(store.#base, path), { recursive: true })),
    );
    const present = new Set(await layerStore.list());
    for (const { image, layers } of await store.list()) {
      if (layers.every((layer) => present.has(layer))) continue;
      options.log.warn('root file system lost a layer, dropped', { image });
      await store.delete(image);
    }
    return store;
  }

  /** Undefined where it has to be prepared first. */
  async find(image: Digest): Promise<Rootfs | undefined> {
    const record = await this.#record(nameOf(image));
    if (record === undefined) return undefined;
    const path = this.#path(image);
    // The machine was started again since, or this process ended before it had mounted.
    if (record.method === 'overlay' && !(await isOverlay(path))) return undefined;
    return { ...record, path };
  }

  /** Lays out an image from its unpacked layers, base first, unless it is. Throws `layer_unknown`. */
  async prepare(image: Digest, layers: readonly Digest[]): Promise<Rootfs> {
    const found = await this.find(image);
    if (found !== undefined) return found;
    const running = this.#preparing.get(image);
    if (running !== undefined) return await running;
    const work = this.#prepare(image, layers).finally(() => this.#preparing.delete(image));
    this.#preparing.set(image, work);
    return await work;
  }

  async list(): Promise<readonly Rootfs[]> {
    const found: Rootfs[] = [];
    for (const name of await readdir(this.#directory)) {
      const record = await this.#record(name);
      if (record !== undefined) found.push({ ...record, path: this.#path(record.image) });
    }
    return found;
  }

  /** Removes a root file system; its layers stay until `collect`. */
  async delete(image: Digest): Promise<void> {
    this.#records.delete(nameOf(image));
    const aside = join(this.#partial, randomUUID());
    try {
      await unmountOverlay(this.#path(image));
      await rename(join(this.#directory, nameOf(image)), aside);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return;
      throw error;
    }
    await rm(aside, { recursive: true });
  }

  /**
   * Deletes the root file systems that are not in `keep`, and then every layer that no remaining one
   * has, but for `keepLayers`: those of images on their way. Answers the layers that went.
   */
  async collect(
    keep: ReadonlySet<Digest>,
    keepLayers: ReadonlySet<Digest> = new Set(),
  ): Promise<readonly Digest[]> {
    await Promise.allSettled(this.#preparing.values());
    const used = new Set(keepLayers);
    for (const { image, layers } of await this.list()) {
      if (keep.has(image)) for (const layer of layers) used.add(layer);
      else await this.delete(image);
    }
    const unused = (await this.#layers.list()).filter((layer) => !used.has(layer));
    for (const layer of unused) await this.#layers.delete(layer);
    return unused;
  }

  /** Unmounts every overlay, for when the store is taken out of use; links stay. */
  async unmount(): Promise<void> {
    for (const { path, method } of await this.list()) {
      if (method === 'overlay') await unmountOverlay(path);
    }
  }

  async #prepare(image: Digest, layers: readonly Digest[]): Promise<Rootfs> {
    await this.delete(image);
    const indexes = await Promise.all(layers.map((layer) => this.#layers.index(layer)));
    // Relative to the layers, so that more of them fit into one mount.
    const cwd = this.#layers.directory;
    const overlay =
      this.#method === 'overlay' && isPlainStack(indexes)
        ? overlayOptions([
            ...layers.map((layer) => relative(cwd, this.#layers.pathOf(layer))).toReversed(),
            // It also makes two lower folders of one, which is what the kernel wants at least.
            relative(cwd, this.#base),
          ])
        : undefined;
    const method: RootfsMethod = overlay === undefined ? 'links' : 'overlay';
    const aside = join(this.#partial, randomUUID());
    const root = join(aside, 'root');
    try {
      mkdirSync(aside);
      chmodSync(aside, 0o711);
      makeDirectory(root);
      if (overlay === undefined) await this.#link(root, layers, indexes);
      const record: RootfsRecord = { image, layers, method };
      await writeFile(join(aside, 'rootfs.json'), JSON.stringify(record));
      await rename(aside, join(this.#directory, nameOf(image)));
    } catch (error) {
      await rm(aside, { recursive: true, force: true });
      throw tooManyLinks(error) ?? error;
    }
    const path = this.#path(image);
    if (overlay !== undefined) await mountOverlay(path, { options: overlay, cwd });
    return { image, layers, path, method };
  }

  async #link(
    root: string,
    layers: readonly Digest[],
    indexes: readonly LayerIndex[],
  ): Promise<void> {
    const sources = layers.map((layer) => this.#layers.pathOf(layer));
    const plan = mergeLayers(indexes);
    const linked = new Set(plan.links.map(({ path }) => path));
    const missing = mountPoints.filter((path) => !linked.has(path));
    for (const path of new Set([...plan.directories, ...missing])) makeDirectory(`${root}/${path}`);
    for (const [made, { path, layer }] of plan.links.entries()) {
      linkSync(`${sources[layer]}/${path}`, `${root}/${path}`);
      // 5 ms of links, then a turn for whatever else this process does.
      if (made % linksPerTurn === linksPerTurn - 1) await new Promise(setImmediate);
    }
  }

  #path(image: Digest): string {
    return join(this.#directory, nameOf(image), 'root');
  }

  async #record(name: string): Promise<RootfsRecord | undefined> {
    const file = join(this.#directory, name, 'rootfs.json');
    const known = this.#records.get(name);
    // On the way of every start: a look without the thread pool takes microseconds.
    if (known !== undefined && existsSync(file)) return known;
    try {
      const text = await readFile(file, 'utf8');
      if (text === '') return undefined;
      const record = JSON.parse(text) as RootfsRecord;
      this.#records.set(name, record);
      return record;
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

const linksPerTurn = 500;

/** What every runtime mounts, and few images have: a read-only root could not be given them later. */
const mountPoints = ['dev', 'proc', 'run', 'sys', 'tmp'] as const;

function nameOf(image: Digest): string {
  return image.slice(image.indexOf(':') + 1);
}

/** ext4 allows 65,000 links to a file: that many images with the same layer. */
function tooManyLinks(error: unknown): TaplineError | undefined {
  if (!isSystemError(error, 'EMLINK')) return undefined;
  return new TaplineError('rootfs_links_exhausted', 'a file of the image has too many links', {
    cause: error,
    hint: 'remove images that are not needed',
  });
}
