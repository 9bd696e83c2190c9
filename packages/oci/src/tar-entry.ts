/**
 * One member of a tar archive. `path` and a hard link's `linkTarget` are as in the archive, except
 * that a directory's trailing slashes are gone; `assertSafeEntry` makes them canonical.
 */
export interface TarEntry {
  readonly kind:
    | 'file'
    | 'directory'
    | 'symlink'
    | 'hardlink'
    | 'character-device'
    | 'block-device'
    | 'fifo';
  readonly path: string;
  /** Permission bits with set-user-id, set-group-id and sticky: 0o0000–0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; 0 for everything but files. */
  readonly size: number;
  /** Seconds since the Unix epoch, possibly with a fraction, possibly negative. */
  readonly mtimeSeconds: number;
  /** Of symlinks and hard links only. */
  readonly linkTarget?: string;
  /** Of devices only. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** Extended attributes, `user.name` → value. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}
