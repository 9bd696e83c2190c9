import {
  chmod,
  lchown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  directoryNode,
  layerTime,
  prefix,
  type PrefixTree,
  StepFailure,
  type TreeNode,
} from '@tapline/brew';
import type { PouredKeg } from '../build-link-layer.ts';
import type { LayerSink } from '../layer-sink.ts';
import { readKegFiles } from '../read-keg-files.ts';

/** What programs may have changed in all; more is no result of a step. */
const maxChangedBytes = 512 * 1024 * 1024;

export interface ImageFolderInit {
  readonly root: string;
  readonly sink: LayerSink;
  readonly kegs: readonly PouredKeg[];
  readonly signal?: AbortSignal | undefined;
}

/** How a file was when it was written: programs change it, or not. */
interface Written {
  readonly node: TreeNode;
  readonly state: string;
}

/** A tree of an image as files on this machine: written where they differ, and read back. */
export class ImageFolder {
  readonly #init: ImageFolderInit;
  /** By path below the prefix. */
  readonly #written = new Map<string, Written>();

  constructor(init: ImageFolderInit) {
    this.#init = init;
  }

  /** Where `path`, absolute in the image, is here. */
  pathOf(path: string): string {
    return join(this.#init.root, path);
  }

  /** Makes the folder what the tree is. */
  async write(tree: PrefixTree): Promise<void> {
    await mkdir(this.pathOf(prefix), { recursive: true });
    const nodes = new Map(tree.nodes());
    for (const path of this.#written.keys()) if (!nodes.has(path)) await this.#forget(path);
    const wanted: { readonly formula: string; readonly path: string }[] = [];
    const changed: (readonly [path: string, node: TreeNode])[] = [];
    for (const [path, node] of nodes) {
      const before = this.#written.get(path)?.node;
      if (before === node || (before?.kind === 'directory' && node.kind === 'directory')) continue;
      if (before !== undefined) await this.#forget(path);
      changed.push([path, node]);
      if (node.kind === 'file' && node.content.kind === 'keg') wanted.push(node.content);
    }
    // A formula at a time: of a large image not all is held at once.
    const files = new Map(
      [...new Set(wanted.map(({ formula }) => formula))].map((formula) => [
        formula,
        wanted.filter((file) => file.formula === formula),
      ]),
    );
    for (const [path, node] of changed) if (node.kind !== 'file') await this.#put(path, node);
    for (const [path, node] of changed) {
      if (node.kind === 'file' && node.content.kind === 'bytes') {
        await this.#put(path, node, node.content.bytes);
      }
    }
    const { sink, kegs, signal } = this.#init;
    for (const [formula, paths] of files) {
      const contents = await readKegFiles(sink, kegs, paths, { signal });
      for (const [path, node] of changed) {
        if (node.kind !== 'file' || node.content.kind !== 'keg') continue;
        if (node.content.formula !== formula) continue;
        await this.#put(path, node, contents.get(`${formula}/${node.content.path}`)?.data);
      }
    }
  }

  /** Gives all below `path` to somebody. */
  async give(path: string, owner: { readonly uid: number; readonly gid: number }): Promise<void> {
    const top = this.pathOf(path);
    await lchown(top, owner.uid, owner.gid);
    for (const entry of await readdir(top, { recursive: true, withFileTypes: true })) {
      await lchown(join(entry.parentPath, entry.name), owner.uid, owner.gid);
    }
  }

  /** Notes how everything is, so that {@link collect} sees what changed since. */
  async settle(): Promise<void> {
    for (const [path, { node }] of this.#written) {
      this.#written.set(path, { node, state: await stateOf(this.#at(path)) });
    }
  }

  /** Brings what changed below `folders`, absolute in the image, into the tree. */
  async collect(tree: PrefixTree, folders: readonly string[]): Promise<void> {
    let bytes = 0;
    for (const folder of folders) {
      const below = folder.slice(prefix.length + 1);
      const present = new Set<string>();
      for (const path of await listBelow(this.#at(below), below)) {
        present.add(path);
        const state = await stateOf(this.#at(path));
        if (this.#written.get(path)?.state === state) continue;
        const node = await this.#read(path);
        if (node === undefined) continue;
        bytes +=
          node.kind === 'file' && node.content.kind === 'bytes' ? node.content.bytes.length : 0;
        if (bytes > maxChangedBytes) {
          throw new StepFailure(`changed more than ${maxChangedBytes} bytes`);
        }
        const located = tree.locate(`${prefix}/${path}`, { follow: false });
        if (located === undefined) throw new StepFailure(`${path} has no folder`);
        // A folder's time changes with what is in it, which is seen for itself.
        const isKept = node.kind === 'directory' && located.node?.kind === 'directory';
        if (!isKept) tree.put(located, node);
        this.#written.set(path, { node: isKept ? (located.node ?? node) : node, state });
      }
      for (const path of this.#written.keys()) {
        if (!path.startsWith(`${below}/`) || present.has(path)) continue;
        const located = tree.locate(`${prefix}/${path}`, { follow: false });
        if (located?.node !== undefined) tree.remove(located);
        this.#written.delete(path);
      }
    }
  }

  #at(path: string): string {
    return this.pathOf(`${prefix}/${path}`);
  }

  async #put(path: string, node: TreeNode, bytes: Uint8Array = new Uint8Array()): Promise<void> {
    const target = this.#at(path);
    await mkdir(dirname(target), { recursive: true });
    switch (node.kind) {
      case 'directory':
        await mkdir(target, { recursive: true });
        await chmod(target, node.mode);
        break;
      case 'symlink':
        await symlink(node.target, target);
        break;
      case 'file':
        await writeFile(target, bytes, { mode: node.mode, flag: 'wx' });
        // As in an image: programs compare times of what they make caches of.
        await utimes(target, layerTime, layerTime);
    }
    this.#written.set(path, { node, state: '' });
  }

  async #forget(path: string): Promise<void> {
    await rm(this.#at(path), { recursive: true, force: true });
    this.#written.delete(path);
  }

  async #read(path: string): Promise<TreeNode | undefined> {
    const target = this.#at(path);
    const found = await lstat(target);
    if (found.isDirectory()) return directoryNode(found.mode & 0o777);
    if (found.isSymbolicLink()) return { kind: 'symlink', target: await readlink(target) };
    // Sockets and fifos are of programs that run.
    if (!found.isFile()) return undefined;
    if (found.size > maxChangedBytes) throw new StepFailure(`made ${path} of ${found.size} bytes`);
    const content = { kind: 'bytes', bytes: await readFile(target) } as const;
    return { kind: 'file', mode: (found.mode & 0o111) === 0 ? 0o644 : 0o755, content };
  }
}

async function listBelow(folder: string, path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const own = `${path}/${entry.name}`;
    found.push(own);
    if (entry.isDirectory()) found.push(...(await listBelow(join(folder, entry.name), own)));
  }
  return found;
}

/** Changes with the content, whoever tries to hide it: the time of the last change cannot be set. */
async function stateOf(path: string): Promise<string> {
  const { ino, size, mode, ctimeNs } = await lstat(path, { bigint: true });
  return `${ino} ${size} ${mode} ${ctimeNs}`;
}
