import { fromBinaryText, toBinaryText } from './binary-text.ts';
import { changeMode } from './change-mode.ts';
import { globPaths } from './glob-paths.ts';
import type { InstallStep, PathSpec } from './install-step.ts';
import type { FileContent, PrefixTree, TreeNode } from './prefix-tree.ts';
import { rubyReplace } from './ruby-replace.ts';
import { expandTokens, resolveSpec, type StepContext } from './step-context.ts';
import { StepFailure } from './step-failure.ts';
import {
  copyTree,
  destinationOf,
  existing,
  folderOf,
  installLink,
  moveNode,
  nameOf,
  place,
  removePath,
} from './tree-files.ts';

export interface FileStepContext extends StepContext {
  readonly tree: PrefixTree;
  readonly read: (content: FileContent) => Promise<Uint8Array>;
  readonly gunzip: (bytes: Uint8Array) => Promise<Uint8Array>;
}

/** Steps that touch files and nothing else. */
export type FileStep = Extract<
  InstallStep,
  {
    readonly type:
      | 'mkdir'
      | 'mkdir_p'
      | 'touch'
      | 'move'
      | 'move_children'
      | 'move_contents'
      | 'copy'
      | 'remove'
      | 'inreplace'
      | 'link_dir'
      | 'link_children'
      | 'symlink'
      | 'write'
      | 'set_permissions'
      | 'install_gzipped_executable';
  }
>;

/** Carries out a step on the tree, as `install_steps.rb` does on a disk. */
export async function applyFileStep(step: FileStep, context: FileStepContext): Promise<void> {
  const { tree } = context;
  const resolve = (spec: PathSpec): string => resolveSpec(context, spec);
  switch (step.type) {
    case 'mkdir': {
      const to = place(tree, resolve(step.path));
      if (to.node !== undefined) throw new StepFailure(`${to.path} exists`);
      tree.makeDirectories(to.path);
      return;
    }
    case 'mkdir_p':
      tree.makeDirectories(resolve(step.path));
      return;
    case 'touch': {
      const path = resolve(step.path);
      if (tree.find(path) === undefined) writeFile(tree, path, new Uint8Array());
      return;
    }
    case 'write': {
      const path = resolve(step.path);
      if (!step.overwrite && tree.find(path) !== undefined) return;
      writeFile(tree, path, new TextEncoder().encode(expandTokens(context, step.content)));
      return;
    }
    case 'move': {
      const source = sourceOf(step, context);
      const target = resolve(step.target);
      tree.makeDirectories(folderOf(target));
      const destination = destinationOf(tree, source, target);
      if (tree.findLink(destination) !== undefined && destination !== source) {
        if (step.overwrite === false && !step.force) {
          throw new StepFailure(`${destination} exists`);
        }
        existing(tree, source);
        const recursive = step.overwrite !== undefined;
        removePath(tree, destination, { recursive });
      }
      moveNode(tree, source, destination);
      return;
    }
    case 'move_children':
    case 'move_contents': {
      const source = resolve(step.source);
      const target = resolve(step.target);
      tree.makeDirectories(target);
      for (const name of childrenOf(tree, source)) {
        if (`${source}/${name}` === target) continue;
        const destination = `${target}/${name}`;
        removePath(tree, destination, { recursive: false });
        moveNode(tree, `${source}/${name}`, destination);
      }
      return;
    }
    case 'copy': {
      const source = sourceOf(step, context);
      const target = resolve(step.target);
      tree.makeDirectories(folderOf(target));
      const destination = destinationOf(tree, source, target);
      if (!step.overwrite && tree.find(destination) !== undefined) {
        throw new StepFailure(`${destination} exists`);
      }
      const node = existing(tree, source);
      if (node.kind === 'directory' && !step.recursive) {
        throw new StepFailure(`${source} is a folder`);
      }
      if (node.kind !== 'directory') removePath(tree, destination, { recursive: false });
      copyTree(tree, node, destination);
      return;
    }
    case 'remove':
      for (const path of step.paths.flatMap((spec) => globPaths(tree, resolve(spec)))) {
        if (await isToBeRemoved(step, path, context)) removePath(tree, path, step);
      }
      return;
    case 'inreplace': {
      const path = resolve(step.path);
      const text = toBinaryText(await readFile(path, context));
      const bytesOf = (part: string): string =>
        toBinaryText(new TextEncoder().encode(expandTokens(context, part)));
      const changed = rubyReplace(text, {
        before: bytesOf(step.before),
        after: bytesOf(step.after),
        regexp: step.regexp,
        options: step.regexp_options,
        all: !step.first_only,
      });
      if (changed === text && !step.skip_audit) {
        throw new StepFailure(`${path} has nothing to replace`);
      }
      writeFile(tree, path, fromBinaryText(changed));
      return;
    }
    case 'link_dir':
      linkTree(tree, resolve(step.source), resolve(step.target));
      return;
    case 'link_children': {
      const source = resolve(step.source);
      const folder = resolve(step.target);
      tree.makeDirectories(folder);
      for (const child of childrenOf(tree, source)) {
        const affixes = [step.prefix, step.suffix].map((text) => expandTokens(context, text));
        const name = `${affixes[0] ?? ''}${child}${affixes[1] ?? ''}`;
        installLink(tree, `${source}/${child}`, { folder, name });
      }
      return;
    }
    case 'symlink':
      makeLinks(step, context);
      return;
    case 'set_permissions':
      for (const path of step.paths.flatMap((spec) => globPaths(tree, resolve(spec)))) {
        const real = tree.locate(path, { follow: true });
        if (real?.node === undefined) continue;
        tree.put(real, withMode(real.node, step.permissions, !step.non_recursive));
      }
      return;
    case 'install_gzipped_executable': {
      const source = resolve(step.source);
      if (tree.find(source) === undefined) return;
      const bytes = await context.gunzip(await readFile(source, context));
      const target = resolve(step.target);
      removePath(tree, target, { recursive: false });
      writeFile(tree, target, bytes, 0o755);
      removePath(tree, source, { recursive: false });
    }
  }
}

function sourceOf(
  step: Extract<InstallStep, { readonly type: 'move' | 'copy' }>,
  context: FileStepContext,
): string {
  const pattern = resolveSpec(context, step.source);
  if (!step.source_glob) return pattern;
  const [found, ...more] = globPaths(context.tree, pattern);
  if (found === undefined || more.length > 0) {
    throw new StepFailure(
      `${pattern} matches ${more.length + (found === undefined ? 0 : 1)} paths`,
    );
  }
  return found;
}

/** As `atomic_write` does: another file in place of the one that a link leads to. */
function writeFile(tree: PrefixTree, path: string, bytes: Uint8Array, mode?: number): void {
  tree.makeDirectories(folderOf(path));
  const to = tree.locate(path, { follow: true });
  if (to === undefined) throw new StepFailure(`${path} leads nowhere`);
  if (to.node?.kind === 'directory') throw new StepFailure(`${path} is a folder`);
  const before = to.node?.kind === 'file' ? to.node.mode : 0o644;
  tree.put(to, { kind: 'file', mode: mode ?? before, content: { kind: 'bytes', bytes } });
}

async function readFile(path: string, { tree, read }: FileStepContext): Promise<Uint8Array> {
  const node = existing(tree, path);
  if (node.kind !== 'file') throw new StepFailure(`${path} is no file`);
  return read(node.content);
}

function childrenOf(tree: PrefixTree, path: string): readonly string[] {
  const node = existing(tree, path);
  if (node.kind !== 'directory') throw new StepFailure(`${path} is no folder`);
  return [...node.children.keys()].toSorted();
}

async function isToBeRemoved(
  step: Extract<InstallStep, { readonly type: 'remove' }>,
  path: string,
  context: FileStepContext,
): Promise<boolean> {
  const linked = step.symlink_target_contains;
  const node = context.tree.findLink(path);
  if (linked !== undefined && (node?.kind !== 'symlink' || !node.target.includes(linked))) {
    return false;
  }
  if (step.content_contains === undefined) return true;
  const file = context.tree.find(path);
  if (file?.kind !== 'file') return false;
  const wanted = toBinaryText(new TextEncoder().encode(step.content_contains));
  return toBinaryText(await context.read(file.content)).includes(wanted);
}

/**
 * Links to all files below a folder, into folders that are real. What is linked is what is there
 * when the step begins: a target below the source would have no end otherwise.
 */
function linkTree(tree: PrefixTree, source: string, target: string): void {
  const entries = Array.from(entriesBelow(tree, source));
  for (const { name, isFolder } of entries) {
    const from = `${source}/${name}`;
    const to = `${target}/${name}`;
    const before = tree.findLink(to);
    if (!isFolder) {
      if (before?.kind !== 'directory') {
        installLink(tree, from, { folder: folderOf(to), name: nameOf(to) });
      }
      continue;
    }
    if (before?.kind !== 'directory') removePath(tree, to, { recursive: false });
    tree.makeDirectories(to);
  }
}

/** Everything below a folder by its path relative to that, folders before what they hold. */
function* entriesBelow(
  tree: PrefixTree,
  folder: string,
  below = '',
): Generator<{ readonly name: string; readonly isFolder: boolean }, void> {
  for (const child of childrenOf(tree, `${folder}${below}`)) {
    if (child === '.DS_Store') continue;
    const path = `${below}/${child}`;
    const isFolder = tree.findLink(`${folder}${path}`)?.kind === 'directory';
    yield { name: path.slice(1), isFolder };
    if (isFolder) yield* entriesBelow(tree, folder, path);
  }
}

function makeLinks(
  step: Extract<InstallStep, { readonly type: 'symlink' }>,
  context: FileStepContext,
): void {
  const { tree } = context;
  const target = resolveSpec(context, step.target);
  if (!step.source_glob) {
    const isText = step.source.base === 'relative';
    const source = isText
      ? expandTokens(context, step.source.path)
      : resolveSpec(context, step.source);
    makeLink(tree, source, { path: target, force: step.force });
    return;
  }
  const sources = globPaths(tree, resolveSpec(context, step.source));
  if (sources.length === 0) return;
  if (sources.length === 1 && tree.find(target)?.kind !== 'directory') {
    makeLink(tree, sources[0] ?? '', { path: target, force: step.force });
    return;
  }
  tree.makeDirectories(target);
  for (const source of sources) {
    makeLink(tree, source, { path: `${target}/${nameOf(source)}`, force: step.force });
  }
}

function makeLink(
  tree: PrefixTree,
  source: string,
  { path, force }: { readonly path: string; readonly force: boolean },
): void {
  tree.makeDirectories(folderOf(path));
  if (force) removePath(tree, path, { recursive: false });
  const to = place(tree, path);
  if (to.node !== undefined) throw new StepFailure(`${path} exists`);
  tree.put(to, { kind: 'symlink', target: source });
}

function withMode(node: TreeNode, permissions: string, recursive: boolean): TreeNode {
  if (node.kind === 'symlink') return node;
  const mode = changeMode(node.mode, permissions, node.kind === 'directory');
  if (node.kind === 'file' || !recursive) return { ...node, mode };
  const children = [...node.children].map(([name, child]): [string, TreeNode] => [
    name,
    withMode(child, permissions, true),
  ]);
  return { ...node, mode, children: new Map(children) };
}
