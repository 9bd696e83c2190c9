import type { Keg } from '../keg.ts';
import type { LinkStep } from '../plan-links.ts';
import { prefix } from '../prefix.ts';
import { directoryNode, PrefixTree, type TreeNode } from './prefix-tree.ts';

/** The kegs and the links into them as a tree. */
export function imageTree(kegs: readonly Keg[], steps: readonly LinkStep[]): PrefixTree {
  const tree = new PrefixTree();
  let top = tree.root;
  for (const name of prefix.split('/').slice(1)) {
    const next = directoryNode();
    top.children.set(name, next);
    top = next;
  }
  const set = (path: string, node: TreeNode): void => {
    const full = `${prefix}/${path}`;
    tree.makeDirectories(full.slice(0, full.lastIndexOf('/')));
    const located = tree.locate(full, { follow: false });
    if (located === undefined) throw new RangeError(`${full} has no folder`);
    if (node.kind !== 'directory' || located.node === undefined) tree.put(located, node);
  };
  for (const [path, node] of kegNodes(kegs)) set(path, node);
  const modes = executableFiles(kegs);
  for (const step of steps) {
    switch (step.kind) {
      case 'directory':
        set(step.path, directoryNode());
        break;
      case 'symlink':
        set(step.path, { kind: 'symlink', target: step.target });
        break;
      case 'copy': {
        const mode = modes.has(`${step.formula}/${step.source}`) ? 0o755 : 0o644;
        const content = { kind: 'keg', formula: step.formula, path: step.source } as const;
        set(step.path, { kind: 'file', mode, content });
        break;
      }
      case 'file':
      case 'remove':
        throw new RangeError(`${step.kind} ${step.path} is of steps that are yet to come`);
    }
  }
  return tree;
}

/**
 * What a layer has to hold so that, on top of the formulae's, an image has what the tree has: all
 * that is new or changed, and marks for what is gone.
 */
export function treeChanges(tree: PrefixTree, kegs: readonly Keg[]): readonly LinkStep[] {
  const before = new Map<string, TreeNode>();
  for (const [path, node] of kegNodes(kegs)) {
    // The formulae's layers make all folders on the way.
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      if (!before.has(path.slice(0, at))) before.set(path.slice(0, at), directoryNode());
    }
    before.set(path, node);
  }
  const steps: LinkStep[] = [];
  const present = new Map<string, TreeNode['kind']>();
  for (const [path, node] of tree.nodes()) {
    present.set(path, node.kind);
    const known = before.get(path);
    if (known !== undefined && isSame(known, node)) continue;
    steps.push(stepOf(path, node));
  }
  for (const path of before.keys()) {
    if (present.has(path)) continue;
    // What is in a folder that is gone, or is none any more, goes with it.
    if (present.get(path.slice(0, path.lastIndexOf('/'))) === 'directory') {
      steps.push({ kind: 'remove', path });
    }
  }
  return steps.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function* kegNodes(kegs: readonly Keg[]): Generator<[path: string, node: TreeNode], void> {
  for (const { name, pkgVersion, entries } of kegs) {
    for (const entry of entries) {
      const path = `Cellar/${name}/${pkgVersion}/${entry.path}`;
      switch (entry.kind) {
        case 'directory':
          yield [path, directoryNode()];
          break;
        case 'symlink':
          yield [path, { kind: 'symlink', target: entry.target }];
          break;
        case 'file': {
          const content = { kind: 'keg', formula: name, path: entry.path } as const;
          yield [path, { kind: 'file', mode: entry.executable ? 0o755 : 0o644, content }];
        }
      }
    }
  }
}

function executableFiles(kegs: readonly Keg[]): ReadonlySet<string> {
  return new Set(
    kegs.flatMap(({ name, entries }) =>
      entries.flatMap((entry) =>
        entry.kind === 'file' && entry.executable ? [`${name}/${entry.path}`] : [],
      ),
    ),
  );
}

function isSame(known: TreeNode, node: TreeNode): boolean {
  if (known.kind === 'symlink') return node.kind === 'symlink' && node.target === known.target;
  if (known.kind === 'directory') return node.kind === 'directory' && node.mode === known.mode;
  if (node.kind !== 'file' || node.mode !== known.mode) return false;
  const [a, b] = [known.content, node.content];
  return a.kind === 'keg' && b.kind === 'keg' && a.formula === b.formula && a.path === b.path;
}

function stepOf(path: string, node: TreeNode): LinkStep {
  switch (node.kind) {
    case 'directory':
      return { kind: 'directory', path, ...(node.mode !== 0o755 && { mode: node.mode }) };
    case 'symlink':
      return { kind: 'symlink', path, target: node.target };
    case 'file': {
      const { content, mode } = node;
      return content.kind === 'bytes'
        ? { kind: 'file', path, mode, bytes: content.bytes }
        : { kind: 'copy', path, mode, formula: content.formula, source: content.path };
    }
  }
}
