/** Prefix of a name that removes its namesake from lower layers (OCI image spec 1.1, layer.md). */
export const whiteoutPrefix = '.wh.';
/** Name that hides everything lower layers have in its directory. */
export const opaqueWhiteoutName = '.wh..wh..opq';

export type Whiteout =
  | { readonly kind: 'none' }
  | { readonly kind: 'remove'; readonly path: string }
  /** `directory` is `.` for the root. */
  | { readonly kind: 'opaque'; readonly directory: string }
  /** Bookkeeping of AUFS (`.wh..wh.plnk`, …): no file and no removal. */
  | { readonly kind: 'reserved' };

/** What the canonical path of a layer entry means for the layers below it. */
export function classifyWhiteout(path: string): Whiteout {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  if (name === opaqueWhiteoutName) {
    return { kind: 'opaque', directory: slash < 0 ? '.' : path.slice(0, slash) };
  }
  if (name.startsWith('.wh..wh.')) return { kind: 'reserved' };
  if (!name.startsWith(whiteoutPrefix)) return { kind: 'none' };
  const removed = name.slice(whiteoutPrefix.length);
  // A bare ".wh." names nothing, and ".wh..", ".wh..." would name the directory or its parent.
  if (removed === '' || removed === '.' || removed === '..') return { kind: 'reserved' };
  return { kind: 'remove', path: path.slice(0, slash + 1) + removed };
}
