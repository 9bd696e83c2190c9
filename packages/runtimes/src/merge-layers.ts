import type { LayerIndex } from './layer-index.ts';

/** A root file system as a list of what to make, base first. */
export interface RootfsPlan {
  /** Paths, parents first. */
  readonly directories: readonly string[];
  /** What to link from which layer; `layer` is its place in the stack, 0 is the base. */
  readonly links: readonly { readonly path: string; readonly layer: number }[];
}

/**
 * What a stack of layers looks like from above (OCI image spec 1.1, layer.md "Applying Changesets"):
 * a layer's whiteouts hide what is below it, its files replace whatever has their path.
 */
export function mergeLayers(layers: readonly LayerIndex[]): RootfsPlan {
  /** Path → layer of a file or link, or -1 of a directory. */
  const tree = new Map<string, number>();
  for (const [layer, index] of layers.entries()) {
    for (const directory of index.opaque) removeBelow(tree, directory);
    for (const path of index.removed) {
      tree.delete(path);
      removeBelow(tree, path);
    }
    for (const path of index.directories) tree.set(path, directoryMark);
    for (const path of index.leaves) {
      if (tree.get(path) === directoryMark) removeBelow(tree, path);
      tree.set(path, layer);
    }
  }
  const directories: string[] = [];
  const links: { path: string; layer: number }[] = [];
  for (const [path, layer] of tree) {
    if (layer === directoryMark) directories.push(path);
    else links.push({ path, layer });
  }
  return { directories: directories.toSorted(), links };
}

const directoryMark = -1;

function removeBelow(tree: Map<string, number>, directory: string): void {
  if (directory === '.') {
    tree.clear();
    return;
  }
  for (const path of tree.keys()) {
    if (path.startsWith(`${directory}/`)) tree.delete(path);
  }
}
