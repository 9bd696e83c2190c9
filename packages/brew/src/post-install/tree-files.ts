import { relativePath, resolvePath } from '../relative-path.ts';
import { type Located, PrefixTree, type TreeNode } from './prefix-tree.ts';
import { StepFailure } from './step-failure.ts';

/** What `cp`, `mv`, `rm` and `ln` do, on a tree. */

/** Where something that is put at `target` goes: into it, where that is a folder. */
export function destinationOf(tree: PrefixTree, source: string, target: string): string {
  const isFolder = tree.find(target)?.kind === 'directory';
  return isFolder ? `${target}/${nameOf(source)}` : target;
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** The place itself, a link there not followed; its folder has to be there. */
export function place(tree: PrefixTree, path: string): Located {
  const located = tree.locate(path, { follow: false });
  if (located === undefined) throw new StepFailure(`${folderOf(path)} does not exist`);
  return located;
}

/** What is there, links followed; it has to be. */
export function existing(tree: PrefixTree, path: string): TreeNode {
  const node = tree.find(path);
  if (node === undefined) throw new StepFailure(`${path} does not exist`);
  return node;
}

/** `rm -f`, or `rm -rf`: what is not there is no failure, and a folder stays without `recursive`. */
export function removePath(
  tree: PrefixTree,
  path: string,
  { recursive }: { readonly recursive: boolean },
): void {
  const located = tree.locate(path, { follow: false });
  if (located?.node === undefined) return;
  if (located.node.kind === 'directory' && !recursive) return;
  tree.remove(located);
}

/** A copy of a node that later changes of the other do not reach. */
function copyOf(tree: PrefixTree, node: TreeNode, path: string): TreeNode {
  tree.countCopied(path);
  if (node.kind !== 'directory') return node;
  const children = [...node.children].map(([name, child]): [string, TreeNode] => [
    name,
    copyOf(tree, child, path),
  ]);
  return { ...node, children: new Map(children) };
}

/** `mv SOURCE TARGET`, links moved as they are. */
export function moveNode(tree: PrefixTree, source: string, target: string): void {
  const from = place(tree, source);
  const { node } = from;
  if (node === undefined) throw new StepFailure(`${source} does not exist`);
  const to = place(tree, target);
  if (to.node === node && to.path === from.path) return;
  if (`${to.path}/`.startsWith(`${from.path}/`)) {
    throw new StepFailure(`${source} cannot be moved into itself`);
  }
  if (to.node?.kind === 'directory' && (node.kind !== 'directory' || to.node.children.size > 0)) {
    throw new StepFailure(`${target} exists`);
  }
  tree.remove(from);
  tree.put(place(tree, target), node);
}

/** Copies a tree over what is there, as `cp -r` does: folders become one, files are replaced. */
export function copyTree(tree: PrefixTree, node: TreeNode, target: string): void {
  tree.countCopied(target);
  if (node.kind !== 'directory') {
    const to = place(tree, target);
    if (to.node?.kind === 'directory') throw new StepFailure(`${target} is a folder`);
    tree.put(to, node);
    return;
  }
  const to = tree.locate(target, { follow: true });
  if (to?.node === undefined) {
    tree.put(place(tree, target), copyOf(tree, node, target));
    return;
  }
  if (to.node.kind !== 'directory') throw new StepFailure(`${target} is no folder`);
  // What was there at first: copies that land in this very folder are not copied once more.
  const children = Array.from(node.children);
  for (const [name, child] of children) copyTree(tree, child, `${target}/${name}`);
}

/** `Pathname#install_symlink`: a relative link in `folder`, in place of what is there. */
export function installLink(
  tree: PrefixTree,
  source: string,
  { folder, name }: { readonly folder: string; readonly name: string },
): void {
  tree.makeDirectories(folder);
  const real = tree.locate(folder, { follow: true })?.path ?? folder;
  const sourceFolder = tree.locate(folderOf(source), { follow: true })?.path ?? folderOf(source);
  const target = relativePath(real.slice(1), resolvePath(sourceFolder, nameOf(source)).slice(1));
  const path = `${folder}/${name}`;
  removePath(tree, path, { recursive: false });
  const to = place(tree, path);
  if (to.node !== undefined) throw new StepFailure(`${path} is a folder`);
  tree.put(to, { kind: 'symlink', target });
}
