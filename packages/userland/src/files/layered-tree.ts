import { inodeBase } from './create-inode.ts';
import { FileContent } from './file-content.ts';
import type { DirectoryEntries, DirectoryInode, FileSystem, Inode } from './inode.ts';
import type { LayerDirectory, LayerNode } from './layer.ts';

/**
 * A tree that begins as a layer is and can be changed: the layer is never touched. A folder is looked
 * at when somebody walks through it, a file's bytes when somebody reads them, and they are copied
 * when somebody writes.
 */
export function createLayeredTree(system: FileSystem, layer: LayerDirectory): DirectoryInode {
  /** Names of one node are hard links of one inode. */
  const linked = new Map<LayerNode, Inode>();

  function inodeOf(node: LayerNode, place: { parent: DirectoryInode; name: string }): Inode {
    if (node.kind === 'directory') return directoryOf(node, place);
    const known = linked.get(node);
    if (known !== undefined) {
      known.links++;
      return known;
    }
    const base = { ...inodeBase(system, ownerOf(node)), ...timesOf(node) };
    const inode: Inode =
      node.kind === 'link'
        ? { ...base, kind: 'link', target: () => node.target }
        : { ...base, kind: 'file', content: FileContent.ofLayer(system.storage, node), opens: 0 };
    linked.set(node, inode);
    return inode;
  }

  function directoryOf(
    node: LayerDirectory,
    place: { parent: DirectoryInode | undefined; name: string },
  ): DirectoryInode {
    let names: Map<string, Inode> | undefined;
    const expand = (): Map<string, Inode> => {
      if (names !== undefined) return names;
      names = new Map();
      for (const [name, child] of node.list()) {
        names.set(name, inodeOf(child, { parent: directory, name }));
        if (child.kind === 'directory') directory.links++;
      }
      return names;
    };
    const entries: DirectoryEntries = {
      get: (name) => expand().get(name),
      list: () => expand(),
      set: (name, inode) => {
        expand().set(name, inode);
      },
      delete: (name) => {
        expand().delete(name);
      },
    };
    const base = { ...inodeBase(system, ownerOf(node)), ...timesOf(node) };
    const directory: DirectoryInode = { ...base, kind: 'directory', links: 2, entries, ...place };
    // How many folders it has shows in the number of its links, so they are looked at with it.
    Object.defineProperty(directory, 'links', linksProperty(expand));
    return directory;
  }

  return directoryOf(layer, { parent: undefined, name: '' });
}

/** `links` of a folder that is not looked at before somebody asks. */
function linksProperty(expand: () => unknown): PropertyDescriptor {
  let links = 2;
  let expanding = false;
  return {
    enumerable: true,
    get: () => {
      if (!expanding) {
        expanding = true;
        expand();
      }
      return links;
    },
    set: (value: number) => {
      links = value;
    },
  };
}

function ownerOf({ mode, uid, gid }: LayerNode): { mode: number; uid: number; gid: number } {
  return { mode, uid, gid };
}

function timesOf({
  modifiedMs,
}: LayerNode): Record<`${'accessed' | 'modified' | 'changed'}Ms`, number> {
  return { accessedMs: modifiedMs, modifiedMs, changedMs: modifiedMs };
}
