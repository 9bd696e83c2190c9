import { TaplineError } from '@tapline/base';
import { assertSafeEntry, type TarEntry } from '@tapline/oci';
import { layerTime } from './layer-time.ts';
import { cellar, prefix } from './prefix.ts';
import { relativePath } from './relative-path.ts';

export interface BottleEntryOptions {
  readonly formula: string;
  readonly pkgVersion: string;
}

/** An entry of a bottle as it stands in a layer. */
export interface BottleEntry {
  /** Relative to the keg; empty for the keg itself. */
  readonly path: string;
  readonly entry: TarEntry;
}

/**
 * Puts an entry of a bottle below the Cellar and takes from it what differs between builds of the
 * same content: owner, times, attributes, and modes but for who may execute. Undefined for the
 * directory above the keg. Throws `unsafe_tar_entry` for what does not belong in a keg.
 */
export function bottleEntry(
  raw: TarEntry,
  { formula, pkgVersion }: BottleEntryOptions,
): BottleEntry | undefined {
  const entry = assertSafeEntry(raw);
  const keg = `${formula}/${pkgVersion}`;
  if (entry.kind === 'directory' && (entry.path === '.' || entry.path === formula))
    return undefined;
  const path = insideKeg(entry.path, keg, entry.path);
  const placed = `${cellar.slice(1)}/${entry.path}`;
  switch (entry.kind) {
    case 'file':
      return { path, entry: normalized(entry, placed, (entry.mode & 0o111) === 0 ? 0o644 : 0o755) };
    case 'directory':
      return { path, entry: normalized(entry, placed, 0o755) };
    case 'symlink': {
      const linkTarget = relativeTarget(placed, entry.linkTarget ?? '');
      return { path, entry: { ...normalized(entry, placed, 0o777), linkTarget } };
    }
    case 'hardlink': {
      const target = entry.linkTarget ?? '';
      insideKeg(target, keg, entry.path);
      const linkTarget = `${cellar.slice(1)}/${target}`;
      return { path, entry: { ...normalized(entry, placed, 0o644), linkTarget } };
    }
    case 'character-device':
    case 'block-device':
    case 'fifo':
      throw unsafe(entry.path, `is a ${entry.kind}`);
  }
}

function normalized(entry: TarEntry, path: string, mode: number): TarEntry {
  return {
    kind: entry.kind,
    path,
    mode,
    uid: 0,
    gid: 0,
    size: entry.size,
    mtimeSeconds: layerTime,
  };
}

function insideKeg(path: string, keg: string, named: string): string {
  if (path === keg) return '';
  if (path.startsWith(`${keg}/`)) return path.slice(keg.length + 1);
  throw unsafe(named, path === named ? `is outside ${keg}` : `links to ${path} outside ${keg}`);
}

/** `keg_relocate.rb#fix_dynamic_linkage`: absolute links into the prefix become relative ones. */
function relativeTarget(placed: string, target: string): string {
  if (!target.startsWith(`${prefix}/`)) return target;
  return relativePath(placed.slice(0, placed.lastIndexOf('/')), target.slice(1));
}

function unsafe(path: string, why: string): TaplineError {
  return new TaplineError('unsafe_tar_entry', `bottle entry ${JSON.stringify(path)} ${why}`, {
    details: { path },
  });
}
