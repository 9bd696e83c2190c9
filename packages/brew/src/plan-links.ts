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
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  /** `target` is relative to the link's folder. */
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  /** The file `source` of the keg of `formula`; of the same mode, unless another is given. */
  | {
      readonly kind: 'copy';
      readonly path: string;
      readonly formula: string;
      readonly source: string;
      readonly mode?: number;
    }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly bytes: Uint8Array;
    }
  /** Takes away what a layer below has there. */
  | { readonly kind: 'remove'; readonly path: string };

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

/** A keg that is reached by `opt/` alone, because another has one of its paths. */
export interface UnlinkedKeg {
  readonly formula: string;
  readonly path: string;
  /** The formula that has it. */
  readonly taken: string;
}

export interface LinkPlan {
  readonly steps: readonly LinkStep[];
  readonly unlinked: readonly UnlinkedKeg[];
}

type Place =
  | { readonly kind: 'directory' }
  | { readonly kind: 'link'; readonly keg: Keg; readonly node: KegNode }
  | { readonly kind: 'symlink'; readonly owner: string; readonly target: string }
  | { readonly kind: 'copy'; readonly formula: string; readonly source: string };

/**
 * What links the kegs into the prefix, in path order: what `brew link` would make of pouring them in
 * the given order, plus what their `.bottle/{etc,var}` brings. The last keg is the package, the others
 * are there for it: of two that have the same path, the later one is not linked, as with Homebrew.
 * Throws `link_conflict` naming both formulae and the path where the package is one of them.
 */
export function planLinks(kegs: readonly Keg[]): LinkPlan {
  const unlinked = new Map<string, UnlinkedKeg>();
  for (;;) {
    const { places, conflict } = planPlaces(kegs, unlinked);
    if (conflict === undefined) {
      const steps = [...places]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([path, place]) => stepOf(path, place));
      return { steps, unlinked: [...unlinked.values()] };
    }
    if (conflict.formula === kegs.at(-1)?.name) throw conflictError(conflict);
    // keg.rb#link: none of its links stay. What they had pushed aside does.
    unlinked.set(conflict.formula, conflict);
  }
}

function planPlaces(
  kegs: readonly Keg[],
  unlinked: ReadonlyMap<string, UnlinkedKeg>,
): { readonly places: ReadonlyMap<string, Place>; readonly conflict?: UnlinkedKeg } {
  const places = new Map<string, Place>();
  for (const path of standingDirectories) makeDirectory(places, path);
  try {
    for (const keg of kegs)
      planKeg(places, unlinked.has(keg.name) ? { ...keg, kegOnly: true } : keg);
  } catch (error) {
    if (error instanceof Conflict) return { places, conflict: error.keg };
    throw error;
  }
  planLoader(places, kegs);
  return { places };
}

/** Ends the planning of a keg's links, however deep in them. */
class Conflict extends Error {
  readonly keg: UnlinkedKeg;

  constructor(keg: UnlinkedKeg) {
    super(keg.path);
    this.keg = keg;
  }
}

function planKeg(places: Map<string, Place>, keg: Keg): void {
  const tree = kegTree(keg.entries);
  for (const name of [keg.name, ...keg.aliases]) {
    const owner = keg.name;
    const target = kegPath(keg);
    // A formula's own name is stronger than another's alias for itself.
    if (name === keg.name || !places.has(`opt/${name}`)) {
      places.set(`opt/${name}`, { kind: 'symlink', owner, target });
    }
  }
  if (!keg.kegOnly) {
    for (const folder of linkedFolders) {
      const node = tree.children.get(folder);
      if (node?.entry.kind !== 'directory') continue;
      linkChildren({ places, keg, folder }, node);
    }
    const owner = keg.name;
    const target = kegPath(keg);
    places.set(`var/homebrew/linked/${keg.name}`, { kind: 'symlink', owner, target });
  }
  copyBottled(places, keg);
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

/**
 * A link in a keg to the very place in the prefix that it would be linked from, or to the same place in
 * another keg, as formulae that were split have them.
 */
function pointsAtItself(keg: Keg, entry: KegEntry): boolean {
  if (entry.kind !== 'symlink') return false;
  const own = `${prefix}/${kegPath(keg)}/${entry.path}`;
  const target = resolvePath(parentOf(own), entry.target);
  const inKeg = /^\/opt\/[^/]+(\/.*)$/.exec(target.slice(prefix.length))?.[1];
  return (
    target === `${prefix}/${entry.path}` ||
    (target.startsWith(prefix) && inKeg === `/${entry.path}`)
  );
}

function resolveConflict({ places, keg }: LinkContext, path: string, place: Place): void {
  const overwrites = keg.linkOverwrite.some((glob) => matchesOverwrite(glob, path));
  if (overwrites || (place.kind === 'link' && isSameFamily(keg.name, place.keg.name))) {
    for (const other of places.keys()) if (other.startsWith(`${path}/`)) places.delete(other);
    return;
  }
  throw new Conflict({ formula: keg.name, path: `${prefix}/${path}`, taken: ownerOf(place) });
}

function conflictError({ formula, path, taken }: UnlinkedKeg): TaplineError {
  return new TaplineError('link_conflict', `${formula} and ${taken} both have ${path}`, {
    hint: `leave one of ${taken} and ${formula} out of the image`,
    details: { path, formulae: [taken, formula] },
  });
}

/** `formula.rb#implied_link_overwrite?`: versions of a formula, and its full one, replace each other. */
function isSameFamily(one: string, other: string): boolean {
  return familyOf(one) === familyOf(other);
}

function familyOf(name: string): string {
  return name.replace(/(@.*|-full)$/, '');
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
 * `formula.rb#install_etc_var`: files that a formula installed into etc and var come with the bottle.
 * The first keg that brings one keeps it, as Homebrew never overwrites configuration; another's is
 * beside it as a default (`install_renamed.rb`).
 */
function copyBottled(places: Map<string, Place>, keg: Keg): void {
  for (const entry of keg.entries) {
    if (!/^\.bottle\/(etc|var)\//.test(entry.path)) continue;
    const own = entry.path.slice('.bottle/'.length);
    const taken = places.get(own)?.kind;
    const path = taken === 'copy' || taken === 'link' ? `${own}.default` : own;
    if (entry.kind === 'directory') makeDirectory(places, own);
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
