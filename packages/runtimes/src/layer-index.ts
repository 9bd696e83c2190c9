/** What a layer holds, so that laying it out needs no walk through its folder. */
export interface LayerIndex {
  /** Canonical paths, parents first. */
  readonly directories: readonly string[];
  /** Files and symbolic links. */
  readonly leaves: readonly string[];
  /** Paths of lower layers that this one removes (OCI image spec 1.1, layer.md "Whiteouts"). */
  readonly removed: readonly string[];
  /** Directories of which lower layers contribute nothing; `.` is the root. */
  readonly opaque: readonly string[];
  /** Bytes of the files' content; hard links count once. */
  readonly bytes: number;
}
