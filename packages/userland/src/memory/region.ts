import type { FileInode } from '../files/inode.ts';

/** What a range of pages is of. */
export interface RegionSource {
  /** What /proc/self/maps calls it: a path, `[heap]`, or nothing. */
  readonly name: string;
  readonly file?: FileInode;
  /** Of the region's start in the file, or in the shared bytes. */
  readonly offset: number;
  /** Writes are seen by all that share it: the file, or bytes that belong to no file. */
  readonly shared: boolean;
  readonly bytes?: SharedBytes;
  /** Grows downwards when what is below is used. */
  readonly growsDown?: boolean;
}

/** Shared memory without a file. */
export interface SharedBytes {
  readonly bytes: Uint8Array;
}

/** Consecutive pages that are alike. */
export interface Region {
  readonly start: number;
  /** Not included. */
  readonly end: number;
  /** Of `pagePermission`. */
  readonly permissions: number;
  readonly source: RegionSource;
}

/** The part of a region between two addresses. */
export function sliceRegion(region: Region, start: number, end: number): Region {
  const { source } = region;
  const moved = start - region.start;
  const backed = source.file !== undefined || source.bytes !== undefined;
  return {
    ...region,
    start,
    end,
    source: moved === 0 || !backed ? source : { ...source, offset: source.offset + moved },
  };
}

/** Whether the second goes on where the first ends, and is of the same. */
export function continues(first: Region, second: Region): boolean {
  const a = first.source;
  const b = second.source;
  const backed = a.file !== undefined || a.bytes !== undefined;
  return (
    first.end === second.start &&
    first.permissions === second.permissions &&
    a.name === b.name &&
    a.file === b.file &&
    a.bytes === b.bytes &&
    a.shared === b.shared &&
    a.growsDown === b.growsDown &&
    (!backed || b.offset === a.offset + (first.end - first.start))
  );
}
