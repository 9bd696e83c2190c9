import { randomUUID } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { LayerStore } from './layer-store.ts';
import { makeDirectory } from './make-directory.ts';
import { mergeLayers } from './merge-layers.ts';

/** A root file system that is laid out. */
export interface Rootfs {
  readonly image: Digest;
  readonly path: string;
  readonly layers: readonly Digest[];
}

interface RootfsRecord {
  readonly image: Digest;
  readonly layers: readonly Digest[];
}

/**
 * Root file systems as trees of hard links into the layers: no file is copied, they need no
 * privileges, survive a reboot and leak no mounts. Links of all root file systems share their inode,
 * so nothing may write to them: runtimes mount the root read-only. A tree is there as a whole or not
 * at all, like a layer.
 */
export class RootfsStore {
  readonly #directory: string;
  readonly #partial: string;
  readonly #layers: LayerStore;
  readonly #preparing = new Map<Digest, Promise<Rootfs>>();

  private constructor(directory: string, layers: LayerStore) {
    this.#directory = join(directory, 'rootfs');
    this.#partial = join(directory, 'rootfs-partial');
    this.#layers = layers;
  }

  /** `directory` is that of `layers`, or another on the same file system; one process owns it. */
  static async open(
    directory: string,
    options: { readonly layers: LayerStore; readonly log: Log },
  ): Promise<RootfsStore> {
    const store = new RootfsStore(directory, options.layers);
    await rm(store.#partial, { recursive: true, force: true });
    await mkdir(store.#partial, { recursive: true, mode: 0o711 });
    await mkdir(store.#directory, { recursive: true, mode: 0o711 });
    const present = new Set(await options.layers.list());
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
    return record === undefined ? undefined : { ...record, path: this.#path(image) };
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
    const aside = join(this.#partial, randomUUID());
    try {
      await rename(join(this.#directory, nameOf(image)), aside);
    } catch (error) {
      if (isMissing(error)) return;
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

  async #prepare(image: Digest, layers: readonly Digest[]): Promise<Rootfs> {
    const plan = mergeLayers(await Promise.all(layers.map((layer) => this.#layers.index(layer))));
    const sources = layers.map((layer) => this.#layers.pathOf(layer));
    const aside = join(this.#partial, randomUUID());
    const root = join(aside, 'root');
    try {
      mkdirSync(aside);
      chmodSync(aside, 0o711);
      makeDirectory(root);
      for (const path of plan.directories) {
        makeDirectory(`${root}/${path}`);
      }
      let made = 0;
      for (const { path, layer } of plan.links) {
        linkSync(`${sources[layer]}/${path}`, `${root}/${path}`);
        made += 1;
        // 5 ms of links, then a turn for whatever else this process does.
        if (made % linksPerTurn === 0) await new Promise(setImmediate);
      }
      const record: RootfsRecord = { image, layers };
      await writeFile(join(aside, 'rootfs.json'), JSON.stringify(record));
      await rename(aside, join(this.#directory, nameOf(image)));
    } catch (error) {
      await rm(aside, { recursive: true, force: true });
      throw tooManyLinks(error) ?? error;
    }
    return { image, layers, path: this.#path(image) };
  }

  #path(image: Digest): string {
    return join(this.#directory, nameOf(image), 'root');
  }

  async #record(name: string): Promise<RootfsRecord | undefined> {
    try {
      const text = await readFile(join(this.#directory, name, 'rootfs.json'), 'utf8');
      return text === '' ? undefined : (JSON.parse(text) as RootfsRecord);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

const linksPerTurn = 500;

function nameOf(image: Digest): string {
  return image.slice(image.indexOf(':') + 1);
}

/** ext4 allows 65,000 links to a file: that many images with the same layer. */
function tooManyLinks(error: unknown): TaplineError | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'EMLINK')) return undefined;
  return new TaplineError('rootfs_links_exhausted', 'a file of the image has too many links', {
    cause: error,
    hint: 'Remove images that are not needed.',
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
