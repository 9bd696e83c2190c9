import { TaplineError } from '@tapline/base';
import type { Keg, KegEntry } from './keg.ts';
import { kegTree, type KegNode } from './keg-tree.ts';
import {
  directoryStrategy,
  fileStrategy,
  linkedFolders,
  type LinkedFolder,
} from './link-strategy.ts';
import { prefix } from './prefix.ts';
import { relativePath, resolvePath } from './relative-path.ts';

/** A path below the prefix that the link layer makes. */
export type LinkStep =
  | { readonly kind: 'directory'; readonly path: string }
  /** `target` is relative to the link's folder. */
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  /** The file `source` of the keg of `formula`, below its `.bottle`. */
  | {
      readonly kind: 'copy';
      readonly path: string;
      readonly formula: string;
      readonly source: string;
    };

/** Directories that a prefix always has (`keg.rb`, `must_exist_subdirectories`). */
const standingDirectories = [
  'bin',
  'etc',
  'include',
  'lib',
  'opt',
  'sbin',
  'share',
  'var',
  'var/homebrew/linked',
] as const;

/** gcc's libraries that programs need at run time (`extend/os/linux/install.rb`). */
export const gccRuntimeLibraries: readonly string[] = [
  'libatomic.so.1',
  'libgcc_s.so.1',
  'libgfortran.so.5',
  'libgomp.so.1',
  'libitm.so.1',
  'libquadmath.so.0',
  'libstdc++.so.6',
];

type Place =
  | { readonly kind: 'directory' }
  | { readonly kind: 'link'; readonly keg: Keg; readonly node: KegNode }
  | { readonly kind: 'symlink'; readonly owner: string; readonly target: string }
  | { readonly kind: 'copy'; readonly formula: string; readonly source: string };

/**
 * What links the kegs into the prefix, in path order: what `brew link` would make of pouring them in
 * the given order, plus what their `.bottle/{etc,var}` brings. Throws `link_conflict` naming both
 * formulae and the path.
 */
export function planLinks(kegs: readonly Keg[]): readonly LinkStep[] {
  const places = new Map<string, Place>();
  for (const path of standingDirectories) makeDirectory(places, path);
  for (const keg of kegs) planKeg(places, keg);
  planLoader(places, kegs);
  return [...places]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, place]) => stepOf(path, place));
}

function planKeg(places: Map<string, Place>, keg: Keg): void {
  const tree = kegTree(keg.entries);
  copyBottled(places, keg);
  for (const name of [keg.name, ...keg.aliases]) {
    const owner = keg.name;
    const target = kegPath(keg);
    // A formula's own name is stronger than another's alias for itself.
    if (name === keg.name || !places.has(`opt/${name}`)) {
      places.set(`opt/${name}`, { kind: 'symlink', owner, target });
    }
  }
  if (keg.kegOnly) return;
  for (const folder of linkedFolders) {
    const node = tree.children.get(folder);
    if (node?.entry.kind !== 'directory') continue;
    linkChildren({ places, keg, folder }, node);
  }
  places.set(`var/homebrew/linked/${keg.name}`, {
    kind: 'symlink',
    owner: keg.name,
    target: kegPath(keg),
  });
}

interface LinkContext {
  readonly places: Map<string, Place>;
  readonly keg: Keg;
  readonly folder: LinkedFolder;
  /** Set where a directory that was one keg's has become shared: all below it is real. */
  readonly asDirectories?: true;
}

function linkChildren(context: LinkContext, parent: KegNode): void {
  for (const node of parent.children.values()) {
    if (node.entry.kind === 'directory') linkDirectory(context, node);
    else linkFile(context, node);
  }
}

function linkDirectory(context: LinkContext, node: KegNode): void {
  const { places, keg, folder } = context;
  const { path } = node.entry;
  const place = places.get(path);
  if (place?.kind === 'directory') return linkChildren(context, node);
  const strategy = context.asDirectories
    ? 'directory'
    : directoryStrategy(folder, path.slice(folder.length + 1));
  if (strategy === 'skip') return;
  if (place?.kind === 'link' && place.node.entry.kind === 'directory') {
    // keg.rb#resolve_any_conflicts: the first keg's link gives way to a directory with both.
    makeDirectory(places, path);
    linkChildren({ places, keg: place.keg, folder, asDirectories: true }, place.node);
    return linkChildren(context, node);
  }
  if (place !== undefined) resolveConflict(context, path, place);
  if (strategy === 'directory') {
    makeDirectory(places, path);
    return linkChildren(context, node);
  }
  makeDirectory(places, parentOf(path));
  places.set(path, { kind: 'link', keg, node });
}

function linkFile(context: LinkContext, node: KegNode): void {
  const { places, keg, folder } = context;
  const { path } = node.entry;
  if (fileStrategy(folder, path.slice(folder.length + 1)) === 'skip') return;
  if (pointsAtItself(keg, node.entry)) return;
  const place = places.get(path);
  if (place?.kind === 'link' && place.keg === keg) return;
  if (place !== undefined) resolveConflict(context, path, place);
  makeDirectory(places, parentOf(path));
  places.set(path, { kind: 'link', keg, node });
}

/** A link in a keg to the very place in the prefix that it would be linked from. */
function pointsAtItself(keg: Keg, entry: KegEntry): boolean {
  if (entry.kind !== 'symlink') return false;
  const own = `${prefix}/${kegPath(keg)}/${entry.path}`;
  return resolvePath(parentOf(own), entry.target) === `${prefix}/${entry.path}`;
}

function resolveConflict({ places, keg }: LinkContext, path: string, place: Place): void {
  if (keg.linkOverwrite.some((glob) => matchesOverwrite(glob, path))) {
    for (const other of places.keys()) if (other.startsWith(`${path}/`)) places.delete(other);
    return;
  }
  const other = ownerOf(place);
  throw new TaplineError('link_conflict', `${keg.name} and ${other} both have ${prefix}/${path}`, {
    hint: `leave one of ${other} and ${keg.name} out of the image`,
    details: { path: `${prefix}/${path}`, formulae: [other, keg.name] },
  });
}

function ownerOf(place: Place): string {
  switch (place.kind) {
    case 'directory':
      return 'a shared directory';
    case 'link':
      return place.keg.name;
    case 'symlink':
      return place.owner;
    case 'copy':
      return place.formula;
  }
}

/** `formula.rb#link_overwrite?`: the path itself, what is below it, or `*` for any characters. */
function matchesOverwrite(glob: string, path: string): boolean {
  const trimmed = glob.replace(/\/$/, '');
  if (path === trimmed || path.startsWith(`${trimmed}/`)) return true;
  const pattern = trimmed.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*?')}$`).test(path);
}

/**
 * `formula_installer.rb#pour`: files that a formula installed into etc and var come with the bottle.
 * The first keg that brings one keeps it, as Homebrew never overwrites configuration.
 */
function copyBottled(places: Map<string, Place>, keg: Keg): void {
  for (const entry of keg.entries) {
    if (!/^\.bottle\/(etc|var)\//.test(entry.path)) continue;
    const path = entry.path.slice('.bottle/'.length);
    if (entry.kind === 'directory') makeDirectory(places, path);
    else if (!places.has(path)) {
      makeDirectory(places, parentOf(path));
      places.set(
        path,
        entry.kind === 'symlink'
          ? { kind: 'symlink', owner: keg.name, target: entry.target }
          : { kind: 'copy', formula: keg.name, source: entry.path },
      );
    }
  }
}

/** The loader, and gcc's libraries, which every search path finds in the prefix's lib. */
function planLoader(places: Map<string, Place>, kegs: readonly Keg[]): void {
  const has = (name: string): Keg | undefined => kegs.find((keg) => keg.name === name);
  const glibc = has('glibc');
  if (glibc !== undefined) {
    places.set('lib/ld.so', { kind: 'symlink', owner: 'glibc', target: 'opt/glibc/bin/ld.so' });
  }
  const gcc = has('gcc');
  if (gcc === undefined) return;
  // `current` is a folder in some versions of the formula and a link to a versioned one in others.
  const libraries = new Set(
    gcc.entries.map((entry) => /^lib\/gcc\/[^/]+\/([^/]+)$/.exec(entry.path)?.[1]),
  );
  for (const name of gccRuntimeLibraries) {
    const path = `lib/${name}`;
    if (!libraries.has(name) || places.has(path)) continue;
    const target = `opt/gcc/lib/gcc/current/${name}`;
    places.set(path, { kind: 'symlink', owner: 'gcc', target });
  }
}

function makeDirectory(places: Map<string, Place>, path: string): void {
  if (path === '' || places.get(path)?.kind === 'directory') return;
  makeDirectory(places, parentOf(path));
  places.set(path, { kind: 'directory' });
}

function stepOf(path: string, place: Place): LinkStep {
  switch (place.kind) {
    case 'directory':
      return { kind: 'directory', path };
    case 'copy':
      return { ...place, path };
    case 'link':
      return symlink(path, `${kegPath(place.keg)}/${place.node.entry.path}`);
    case 'symlink':
      // Links of `.bottle` are as the formula made them; ours are told by where they lead.
      return place.target.startsWith('Cellar/') || place.target.startsWith('opt/')
        ? symlink(path, place.target)
        : { kind: 'symlink', path, target: place.target };
  }
}

function symlink(path: string, target: string): LinkStep {
  return { kind: 'symlink', path, target: relativePath(parentOf(path), target) };
}

function kegPath(keg: Keg): string {
  return `Cellar/${keg.name}/${keg.pkgVersion}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}
