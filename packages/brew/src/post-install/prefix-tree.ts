import { prefix } from '../prefix.ts';
import { resolvePath } from '../relative-path.ts';
import { StepFailure } from './step-failure.ts';

/** Bytes of a file: those of a file in a keg, known by name until somebody needs them, or others. */
export type FileContent =
  | { readonly kind: 'keg'; readonly formula: string; readonly path: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

export interface DirectoryNode {
  readonly kind: 'directory';
  readonly mode: number;
  readonly children: Map<string, TreeNode>;
}

export type TreeNode =
  | DirectoryNode
  | { readonly kind: 'file'; readonly mode: number; readonly content: FileContent }
  | { readonly kind: 'symlink'; readonly target: string };

export interface Located {
  /** Absolute, with no link in it but for its last part where links are not followed. */
  readonly path: string;
  readonly parent: DirectoryNode;
  readonly name: string;
  /** Undefined where its folder is there and it is not. */
  readonly node: TreeNode | undefined;
}

const maxLinks = 40;
/** Largest kegs have some 60,000 files; steps that copy a folder into itself double it each time. */
const maxCopied = 200_000;

export function directoryNode(mode = 0o755): DirectoryNode {
  return { kind: 'directory', mode, children: new Map() };
}

/**
 * The files of an image as steps find and change them, links followed as a kernel does. Whatever is
 * outside of the prefix is not there, and writing to it is refused.
 */
export class PrefixTree {
  readonly root: DirectoryNode = directoryNode();
  #copied = 0;

  /** Where `path` leads; undefined where a folder on the way is missing. */
  locate(path: string, options: { readonly follow: boolean }): Located | undefined {
    let text = path;
    for (let links = 0; links <= maxLinks; links += 1) {
      const step = this.#walk(resolvePath('/', text), options.follow);
      if (step === undefined || 'parent' in step) return step;
      text = step.continueAt;
    }
    throw new StepFailure(`${path} leads through more than ${maxLinks} links`);
  }

  /** What is at `path`, links followed. */
  find(path: string): TreeNode | undefined {
    return this.locate(path, { follow: true })?.node;
  }

  /** What is at `path` itself. */
  findLink(path: string): TreeNode | undefined {
    return this.locate(path, { follow: false })?.node;
  }

  /** Makes the folder and those above it, where links lead. */
  makeDirectories(path: string): DirectoryNode {
    let at = '';
    let folder = this.root;
    for (const name of resolvePath('/', path).split('/').slice(1)) {
      if (name === '') continue;
      const located = this.locate(`${at}/${name}`, { follow: true });
      if (located === undefined) {
        throw new StepFailure(`${at}/${name} leads out of the prefix, or nowhere`);
      }
      if (located.node === undefined) {
        folder = directoryNode();
        this.put(located, folder);
      } else if (located.node.kind === 'directory') folder = located.node;
      else throw new StepFailure(`${path} is no folder`);
      at = located.path;
    }
    return folder;
  }

  /** Puts a node where a path was located. */
  put(located: Located, node: TreeNode): void {
    this.#mayChange(located);
    located.parent.children.set(located.name, node);
  }

  /** Counts a node that is copied, for all steps together: no step may fill the memory. */
  countCopied(path: string): void {
    this.#copied += 1;
    if (this.#copied > maxCopied) {
      throw new StepFailure(`${path}: steps copy more than ${maxCopied} files and folders`);
    }
  }

  remove(located: Located): void {
    this.#mayChange(located);
    located.parent.children.delete(located.name);
  }

  /** Every node below the prefix by its path relative to that, parents first, in path order. */
  *nodes(): Generator<readonly [path: string, node: TreeNode], void> {
    const top = this.find(prefix);
    if (top?.kind === 'directory') yield* below('', top);
  }

  #mayChange({ path }: Located): void {
    if (path === prefix || !`${path}/`.startsWith(`${prefix}/`)) {
      throw new StepFailure(`${path} is outside of the prefix`);
    }
  }

  #walk(path: string, follow: boolean): Located | { readonly continueAt: string } | undefined {
    const names = path.split('/').filter((name) => name !== '');
    let parent = this.root;
    let at = '';
    for (const [index, name] of names.entries()) {
      const node = parent.children.get(name);
      const isLast = index === names.length - 1;
      if (node?.kind === 'symlink' && (!isLast || follow)) {
        const rest = names.slice(index + 1).join('/');
        const target = resolvePath(at === '' ? '/' : at, node.target);
        return { continueAt: `${target}/${rest}` };
      }
      if (isLast) return { path: `${at}/${name}`, parent, name, node };
      if (node?.kind !== 'directory') return undefined;
      parent = node;
      at = `${at}/${name}`;
    }
    return undefined;
  }
}

function* below(
  path: string,
  { children }: DirectoryNode,
): Generator<readonly [path: string, node: TreeNode], void> {
  for (const [name, node] of [...children].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const own = path === '' ? name : `${path}/${name}`;
    yield [own, node];
    if (node.kind === 'directory') yield* below(own, node);
  }
}
