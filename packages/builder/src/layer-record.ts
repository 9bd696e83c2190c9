import type { KegEntry } from '@tapline/brew';
import type { Digest } from '@tapline/oci';

/** What is known of a layer once it is built. */
export interface LayerFacts {
  /** Of the compressed layer. */
  readonly digest: Digest;
  /** Of the tar inside. */
  readonly diffId: Digest;
  readonly size: number;
  /** Bytes of the files' contents. */
  readonly unpackedSize: number;
  /** Files, directories and links. */
  readonly fileCount: number;
  /** Of the index of its files, see {@link FileIndex}; gzipped. */
  readonly fileIndex: { readonly digest: Digest; readonly size: number };
}

/** What is known of a layer's bytes. */
export type WrittenLayer = Pick<LayerFacts, 'digest' | 'diffId' | 'size' | 'fileIndex'>;

/** What is known of a keg once its bottle is poured. */
export interface KegFacts extends Pick<LayerFacts, 'unpackedSize' | 'fileCount'> {
  readonly entries: readonly KegEntry[];
  /** Sonames that its files need and none of its own files is. */
  readonly needed: readonly string[];
  /** ELF files that were left as they are, and why. */
  readonly notRelocated: readonly { readonly path: string; readonly reason: string }[];
}

/** A formula's layer, with what links and dependencies follow from. */
export type LayerRecord = WrittenLayer & KegFacts;
