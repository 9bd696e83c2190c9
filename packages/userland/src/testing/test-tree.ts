import type { DirectoryInode, FileSystem } from '../files/inode.ts';
import type { LayerDirectory } from '../files/layer.ts';
import { createLayeredTree } from '../files/layered-tree.ts';
import { StorageBudget } from '../files/storage-budget.ts';

/** A tree without a kernel around it; its time stands still. */
export function testTree(layer: LayerDirectory): DirectoryInode {
  const system: FileSystem = {
    device: 1,
    magic: 0,
    name: 'test',
    readOnly: false,
    nextInode: 1,
    storage: new StorageBudget(1024 * 1024),
    now: () => 0,
  };
  return createLayeredTree(system, layer);
}
